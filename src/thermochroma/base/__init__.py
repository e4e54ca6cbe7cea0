"""Files, images, tensors, errors, locks: nothing here knows of methods or of data sets."""
