"""From a network to a file and back: artifact and metadata."""
