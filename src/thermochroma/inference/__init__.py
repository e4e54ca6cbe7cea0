"""From a network to 8-bit images: one predictor for pipeline, command line and MLflow."""
