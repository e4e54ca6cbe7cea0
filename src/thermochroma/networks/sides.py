"""Sides of feature maps in computations that an export must be able to follow."""

from typing import Any

from torch import Tensor


def at_most(side: Any, most: int) -> Any:
    """The smaller of a side and a bound.

    While a network is traced for its export, sides are tensors; `min` would choose by the example's.
    """
    return side.clamp(max=most) if isinstance(side, Tensor) else min(side, most)
