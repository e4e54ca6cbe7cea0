"""Export of translators to files and back: artifact and metadata."""
