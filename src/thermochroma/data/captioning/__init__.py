"""Captioning: one sentence per frame, from thermal crops and facts."""
