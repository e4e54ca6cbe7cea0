"""Acquisition of raw data: from an address, an archive or a folder to a checked table of frames."""
