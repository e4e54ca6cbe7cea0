"""Training objectives that several methods share; they take tensors and produce turns (optimizer steps)."""
