"""Losses: tensors in, tensors out, one value per image."""
