"""Numbers that the host draws for a training step, and sends to the device.

They are drawn on the processor so that they are the same on every device. A step that is recorded on a
GPU (training/graphs.py) asks for them by `sent`, so that they can be drawn anew each time it is played.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeAlias

import torch
from torch import Tensor

Draw: TypeAlias = Callable[[], Tensor]
"""Function that draws numbers on the processor. Whatever else it keeps there changes in it alone."""
Way: TypeAlias = Callable[[Draw, torch.device], Tensor]
"""Way of numbers to a device."""


def sent(draw: Draw, device: torch.device) -> Tensor:
    """Draw numbers, and send them to a device without waiting for it."""
    return (_way or at_once)(draw, device)


def at_once(draw: Draw, device: torch.device) -> Tensor:
    """Send what is drawn now."""
    return ready(draw(), device).to(device, non_blocking=True)


def ready(drawn: Tensor, device: torch.device) -> Tensor:
    """Numbers in memory that a GPU copies by itself: from any other, the host waits for it."""
    return drawn.pin_memory() if device.type == "cuda" else drawn


_way: Way | None = None


@contextmanager
def going(way: Way) -> Iterator[None]:
    """Let numbers go another way inside the block."""
    global _way
    before, _way = _way, way
    try:
        yield
    finally:
        _way = before
