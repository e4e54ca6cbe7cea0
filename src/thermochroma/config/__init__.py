"""YAML in, typed settings out; fingerprints of code."""
