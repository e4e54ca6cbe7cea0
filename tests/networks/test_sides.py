"""A bound of a side holds for the number, and for what a tracer makes of it."""

import torch

from thermochroma.networks.sides import at_most


def test_the_smaller_is_taken_and_a_tracers_side_stays_a_tensor() -> None:
    assert (at_most(31, 32), at_most(33, 32)) == (31, 32)
    for side in (31, 33):
        found = at_most(torch.tensor(side), 32)
        assert isinstance(found, torch.Tensor)
        assert int(found) == min(side, 32)
