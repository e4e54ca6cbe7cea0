"""Losses on structure. Each gives one value a picture."""

import torch
from jaxtyping import Float
from pytorch_msssim import ssim
from torch import Tensor

from thermochroma.tensors import Picture, to_unit


def dissimilarity(painted: Picture, target: Picture) -> Float[Tensor, " b"]:
    """1 - SSIM on [0, 1] pictures: Gaussian window 11, sigma 1.5, K = (0.01, 0.03), no padding.

    Computed in float32 whatever surrounds it: differences of squares do not survive half precision.
    Sides shorter than 11 raise ValueError, since the window would shrink without a word.
    """
    if min(painted.shape[-2:]) < 11:
        raise ValueError(f"SSIM needs sides of at least 11, got {tuple(painted.shape[-2:])}")
    with torch.autocast(painted.device.type, enabled=False):
        likeness: Tensor = ssim(
            to_unit(painted.float()), to_unit(target.float()), data_range=1.0, size_average=False
        )
    return 1 - likeness
