"""Scores of predictions: functions of two images, or of two sets of images, that return a number."""
