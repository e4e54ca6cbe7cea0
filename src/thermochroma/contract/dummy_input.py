"""Random input of the type that a method sees: for diagrams, measurements of cost, and tests."""

from collections.abc import Callable
from dataclasses import fields
from typing import Any

import torch
from torch import Tensor

TOKENS = 77  # of CLIP's context


def dummy_input(
    sees: type,
    *,
    height: int,
    width: int,
    count: int = 1,
    seed: int = 0,
    text_width: int,
) -> Any:
    """Build an object of the type `sees`: images of noise in [-1, 1], sentences of different lengths.

    sees: a type of `batch.py`. height, width: in pixels. count: batch size. text_width: channels of
    the token features. Raises KeyError for a field that is not known here.
    """
    random = torch.Generator().manual_seed(seed)

    def image(channels: int) -> Tensor:
        return torch.rand(count, channels, height, width, generator=random) * 2 - 1

    makers: dict[str, Callable[[], Tensor]] = {
        "thermal": lambda: image(1),
        "visible": lambda: image(3),
        "reference": lambda: image(3),
        "sharpness": lambda: torch.linspace(0, 1, count + 2)[1:-1],
        "text": lambda: torch.randn(count, TOKENS, text_width, generator=random),
        "text_mask": lambda: torch.arange(TOKENS) < (5 + torch.arange(count) % 7)[:, None],
    }
    return sees(**{one.name: makers[one.name]() for one in fields(sees)})
