"""From registered frames to shards of crops."""
