"""The training loop; it contains no name of a method and no list of scores."""
