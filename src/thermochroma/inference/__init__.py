"""Applies a translator to 8-bit images, for the pipeline, the command line and MLflow."""
