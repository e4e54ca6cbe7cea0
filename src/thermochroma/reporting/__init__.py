"""From tables of scores to text and figures."""
