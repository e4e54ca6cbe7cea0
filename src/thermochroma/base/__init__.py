"""Helpers for files, images, tensors, errors and locks; none of them depends on a method or a data set."""
