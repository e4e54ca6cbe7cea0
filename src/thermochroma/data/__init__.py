"""Preparation of data: from an address to captions and shards of crops."""
