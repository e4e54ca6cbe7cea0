"""Inference: from a translator to 8-bit images, for pipeline, command line and MLflow."""
