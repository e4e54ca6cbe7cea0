"""Networks, and parts of networks, that several methods share; they take and return tensors."""
