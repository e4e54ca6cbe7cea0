"""One file a data set; a data set exists because its file does."""
