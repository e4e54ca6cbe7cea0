"""Losses on what is fine in a picture: high-passed pixels and Fourier coefficients.

Frequencies are in cycles a pixel, radial; transforms are orthonormal and in float32 at least.
"""

from functools import cache
from typing import Final

import torch
from jaxtyping import Complex, Float
from torch import Tensor
from torch.nn import functional as F

from thermochroma.base.tensors import Picture, at_least_float32

SIGMA: Final = 1.5  # pixels: the Gaussian that is taken away from the pixels
RADIUS: Final = 5  # pixels
CUT: Final = 0.1  # cycles a pixel, where the weight of coefficients has risen to 0.39


def high_passed(picture: Picture) -> Picture:
    """The picture less its Gaussian mean (sigma 1.5 pixels, reflected borders)."""
    channels = picture.shape[1]
    offsets = torch.arange(-RADIUS, RADIUS + 1, dtype=torch.float32, device=picture.device)
    line = torch.exp(-offsets.square() / (2 * SIGMA**2))
    line = (line / line.sum()).expand(channels, 1, 1, -1).to(picture.dtype)
    padded = F.pad(picture, (RADIUS, RADIUS, RADIUS, RADIUS), "reflect")
    across = F.conv2d(padded, line, groups=channels)
    return picture - F.conv2d(across, line.transpose(2, 3), groups=channels)


def spectral_distance(painted: Picture, target: Picture) -> Float[Tensor, " b"]:
    """Mean size of the difference of Fourier coefficients, high frequencies first.

    A coefficient at radius r weighs 1 - exp(-r^2 / (2 * 0.1^2)).
    """
    difference = _transform(painted) - _transform(target)
    radius = _radius(painted.shape[-2], painted.shape[-1], painted.device)
    weight = 1 - torch.exp(-radius.square() / (2 * CUT**2))
    return (weight * difference.abs()).flatten(1).mean(1)


def radial_profile(picture: Picture, *, bins: int, least: float) -> Float[Tensor, "b {bins}"]:
    """Mean of log(1 + |coefficient|) in rings from `least` to 0.5 cycles a pixel, over channels too."""
    strength = _transform(picture).abs().log1p().mean(1).flatten(1)
    radius = _radius(picture.shape[-2], picture.shape[-1], picture.device).flatten()
    ring = ((radius - least) / (0.5 - least) * bins).floor().long()
    inside = (ring >= 0) & (ring < bins)
    count = torch.bincount(ring[inside], minlength=bins).clamp(min=1)
    summed = strength.new_zeros(len(strength), bins)
    return summed.index_add(1, ring[inside], strength[:, inside]) / count


def _transform(picture: Picture) -> Complex[Tensor, "b c h f"]:
    with torch.autocast(picture.device.type, enabled=False):
        found: Tensor = torch.fft.rfft2(at_least_float32(picture), norm="ortho")
    return found


@cache
def _radius(height: int, width: int, device: torch.device) -> Float[Tensor, "h f"]:
    down = torch.fft.fftfreq(height, device=device)[:, None]
    return torch.hypot(down, torch.fft.rfftfreq(width, device=device)[None])
