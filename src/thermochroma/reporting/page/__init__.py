"""Page of results: one HTML file that opens from disk."""
