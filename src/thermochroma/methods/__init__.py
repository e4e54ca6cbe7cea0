"""One file per method; no method imports another, and a new file is a new method."""
