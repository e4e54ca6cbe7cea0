"""Methods, one file each, none of which imports another; a method exists because its file does."""
