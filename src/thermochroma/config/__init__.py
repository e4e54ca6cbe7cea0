"""Reads YAML into typed settings, and makes fingerprints (hashes) of the code."""
