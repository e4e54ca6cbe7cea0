"""Rows of the tables that need no training: trivial ones, and oracles, which may look at the true image."""
