"""Rows of the tables that learn nothing: trivial ones, and oracles that see the truth."""
