"""From an address to shards of crops."""
