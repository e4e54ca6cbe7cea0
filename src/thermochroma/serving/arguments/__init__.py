"""The text and the arguments of each command: one module each, which imports nothing heavy."""
