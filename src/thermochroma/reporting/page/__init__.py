"""From tables of scores to one page that opens from disk."""
