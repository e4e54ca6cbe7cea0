"""From thermal crops and facts to one sentence a frame."""
