"""Tools for a user's own images and predictions: command line, diagrams and tables of parameters."""
