"""The loop that trains; it knows no method by name and no list of scores."""
