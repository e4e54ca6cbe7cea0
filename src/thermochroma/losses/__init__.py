"""Losses; they take tensors and return one value per image."""
