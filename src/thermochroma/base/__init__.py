"""Files, images, tensors, errors, locks: nothing here depends on a method or a data set."""
