"""Data sets, one file each; a data set is registered by its file."""
