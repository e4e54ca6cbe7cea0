"""Scores: two images, or two sets of images, to a number."""
