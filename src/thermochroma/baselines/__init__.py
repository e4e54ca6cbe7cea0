"""Baselines: rows of the tables that train no network: trivial ones, and oracles that see the truth."""
