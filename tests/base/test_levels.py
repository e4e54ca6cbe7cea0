"""Floats of arrays are those of tensors, bit by bit: an image is one, whichever library computes it."""

import numpy as np
import torch

from thermochroma.base.levels import to_floats, to_levels
from thermochroma.base.tensors import to_bytes, to_network

LEVELS = np.arange(256, dtype=np.uint8)[None, None, None]


def test_every_level_becomes_the_float_that_torch_makes() -> None:
    assert np.array_equal(to_floats(LEVELS), to_network(torch.from_numpy(LEVELS)).numpy())
    assert np.array_equal(to_levels(to_floats(LEVELS)), LEVELS)


def test_every_float_becomes_the_level_that_torch_makes() -> None:
    floats = np.linspace(-1.1, 1.1, 1 << 20, dtype=np.float32)
    halves = (np.arange(255, dtype=np.float32) + np.float32(0.5)) / np.float32(127.5) - np.float32(
        1
    )
    given = np.concatenate([floats, halves])[None, None, None]
    assert np.array_equal(to_levels(given), to_bytes(torch.from_numpy(given)).numpy())
