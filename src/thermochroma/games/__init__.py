"""Training objectives that several methods share: tensors in, turns out."""
