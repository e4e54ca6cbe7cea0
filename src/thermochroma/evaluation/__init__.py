"""Computes scores of predictions, in the same way for methods and for baselines."""
