"""From an address, an archive or a folder to a checked table of frames."""
