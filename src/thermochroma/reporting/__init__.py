"""Tables, figures and cards of scores."""
