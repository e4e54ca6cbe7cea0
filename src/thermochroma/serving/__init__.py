"""Tools for a user's own images: command line, diagrams and tables of parameters."""
