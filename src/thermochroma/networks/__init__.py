"""Networks and their parts that several methods use: tensors in, tensors out."""
