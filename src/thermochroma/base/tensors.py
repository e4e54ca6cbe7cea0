"""Images as tensors in [-1, 1]: input and output of networks.

On disk and for scoring, images are 8-bit arrays (`images.py`). The two modules are separate, so that
a process which only reads tables or images need not load torch.
"""

from collections.abc import Sequence
from functools import cache
from typing import TypeAlias

import torch
from jaxtyping import Float, UInt8
from torch import Tensor

Thermal: TypeAlias = Float[Tensor, "b 1 h w"]
"""A batch of thermal images in [-1, 1]."""
Visible: TypeAlias = Float[Tensor, "b 3 h w"]
"""A batch of visible images, sRGB in [-1, 1], channels red, green, blue."""
Image: TypeAlias = Float[Tensor, "b c h w"]
"""A batch of either spectrum in [-1, 1]."""


def to_network(images: UInt8[Tensor, "b c h w"]) -> Image:
    """Convert 8 bits to [-1, 1]: 0 becomes -1 and 255 becomes 1."""
    return images.to(torch.float32) / 127.5 - 1


def to_bytes(images: Image) -> UInt8[Tensor, "b c h w"]:
    """Convert [-1, 1] to 8 bits, clamped and rounded to the nearest level (never floored)."""
    return ((images.float().clamp(-1, 1) + 1) * 127.5).round().to(torch.uint8)


def to_unit(images: Image) -> Image:
    """Convert [-1, 1] to [0, 1], unclamped: for losses that are defined on unit range."""
    return (images + 1) / 2


def constant(values: Sequence[float] | Sequence[Sequence[float]], like: Tensor) -> Tensor:
    """Numbers as a tensor beside another one, of its kind.

    Sent to a GPU from pinned memory: from any other, the copy would wait for all that was started there.
    """
    if not like.is_cuda:
        return like.new_tensor(values)
    listed = tuple(tuple(one) if isinstance(one, Sequence) else one for one in values)
    return _sent(listed, like.dtype, like.device)


@cache
def _sent(
    values: tuple[float | tuple[float, ...], ...], dtype: torch.dtype, device: torch.device
) -> Tensor:
    """Sent once: a recorded step must find them where they were. Whoever gets them writes into a copy."""
    return torch.tensor(values, dtype=dtype, pin_memory=True).to(device, non_blocking=True)


def at_least_float32(x: Float[Tensor, "*shape"]) -> Float[Tensor, "*shape"]:
    """Convert half precision to float32; keep float32 and float64 as they are.

    For computations that lose too many digits under autocast, and that tests repeat in float64.
    """
    return x.to(torch.promote_types(x.dtype, torch.float32))
