"""Tracking of runs in MLflow. No other package imports it."""
