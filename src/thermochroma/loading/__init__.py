"""Loading of batches from shards."""
