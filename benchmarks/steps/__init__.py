"""Training steps written out by hand, as a person reproduces a paper, to compare the trainer's with."""
