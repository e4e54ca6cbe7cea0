"""The work of each command: one module each, imported only when its command runs."""
