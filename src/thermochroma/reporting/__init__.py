"""Tables, figures and one-page summaries (cards) of scores."""
