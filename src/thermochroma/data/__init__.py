"""Prepares data: from a download address to captions, and to crops packed in shards."""
