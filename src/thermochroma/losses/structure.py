"""Losses on structure. Each gives one value per image."""

from typing import Final

import torch
from jaxtyping import Float
from pytorch_msssim import ssim
from torch import Tensor

from thermochroma.base.tensors import Image, at_least_float32, to_unit

SIGMA: Final = 1.5


def dissimilarity(output: Image, target: Image, *, window: int = 11) -> Float[Tensor, " b"]:
    """Dissimilarity 1 - SSIM: Gaussian window, sigma 1.5, K = (0.01, 0.03), no padding.

    Images are in [-1, 1] and compared in [0, 1]. window: its side in pixels. Computed in float32 at
    least, since differences of squares do not survive half precision. Raises ValueError for images
    with shorter sides: the library would shrink the window without a warning.
    """
    if min(output.shape[-2:]) < window:
        raise ValueError(f"SSIM needs sides of at least {window}, got {tuple(output.shape[-2:])}")
    with torch.autocast(output.device.type, enabled=False):
        likeness: Tensor = ssim(
            to_unit(at_least_float32(output)),
            to_unit(at_least_float32(target)),
            data_range=1.0,
            size_average=False,
            win=gaussian(window, output),
        )
    return 1 - likeness


def gaussian(side: int, like: Image) -> Float[Tensor, "c 1 1 {side}"]:
    """The library's window for each channel, made where the images are: its own is sent there each time."""
    places = torch.arange(side, dtype=torch.float32, device=like.device) - side // 2
    weights = torch.exp(-(places**2) / (2 * SIGMA**2))
    return (weights / weights.sum()).to(at_least_float32(like).dtype).repeat(like.shape[1], 1, 1, 1)
