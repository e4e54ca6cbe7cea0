"""Losses on structure. Each gives one value per image."""

import torch
from jaxtyping import Float
from pytorch_msssim import ssim
from torch import Tensor

from thermochroma.base.tensors import Image, at_least_float32, to_unit


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
            win_size=window,
        )
    return 1 - likeness
