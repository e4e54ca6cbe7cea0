"""Scores of predictions, by one way for methods and baselines alike."""
