"""Loads batches from shards, and computes the features of captions."""
