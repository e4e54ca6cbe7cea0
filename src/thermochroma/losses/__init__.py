"""Losses: tensors in, tensors out, one number an image."""
