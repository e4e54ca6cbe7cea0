"""Records runs in MLflow; no other room imports MLflow."""
