"""One file a method, none imports another; a method exists because its file does."""
