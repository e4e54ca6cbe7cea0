"""Tracking of runs in MLflow, which no other package imports."""
