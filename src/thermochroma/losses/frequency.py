"""Losses on fine detail of an image: high-passed pixels and Fourier coefficients.

Frequencies are in cycles per pixel, radial; transforms are orthonormal and in float32 at least.
"""

from functools import cache
from typing import Final

import torch
from jaxtyping import Complex, Float
from torch import Tensor
from torch.nn import functional as F

from thermochroma.base.tensors import Image, at_least_float32

SIGMA: Final = 1.5  # pixels: of the Gaussian mean that is subtracted
RADIUS: Final = 5  # pixels
CUT: Final = 0.1  # cycles per pixel, where the weight of coefficients has risen to 0.39


def high_passed(image: Image) -> Image:
    """Image minus its Gaussian mean (sigma 1.5 pixels, reflected borders)."""
    channels = image.shape[1]
    offsets = torch.arange(-RADIUS, RADIUS + 1, dtype=torch.float32, device=image.device)
    line = torch.exp(-offsets.square() / (2 * SIGMA**2))
    line = (line / line.sum()).expand(channels, 1, 1, -1).to(image.dtype)
    padded = F.pad(image, (RADIUS, RADIUS, RADIUS, RADIUS), "reflect")
    across = F.conv2d(padded, line, groups=channels)
    return image - F.conv2d(across, line.transpose(2, 3), groups=channels)


def spectral_distance(output: Image, target: Image) -> Float[Tensor, " b"]:
    """Mean size of the difference of Fourier coefficients, with more weight on high frequencies.

    The weight of a coefficient at radius r is 1 - exp(-r^2 / (2 * 0.1^2)).
    """
    difference = _transform(output) - _transform(target)
    radius = _radius(output.shape[-2], output.shape[-1], output.device)
    weight = 1 - torch.exp(-radius.square() / (2 * CUT**2))
    return (weight * difference.abs()).flatten(1).mean(1)


def radial_profile(image: Image, *, bins: int, least: float) -> Float[Tensor, "b {bins}"]:
    """Mean of log(1 + |coefficient|) in rings from `least` to 0.5 cycles per pixel, over channels too."""
    strength = _transform(image).abs().log1p().mean(1).flatten(1)
    radius = _radius(image.shape[-2], image.shape[-1], image.device).flatten()
    ring = ((radius - least) / (0.5 - least) * bins).floor().long()
    inside = (ring >= 0) & (ring < bins)
    count = torch.bincount(ring[inside], minlength=bins).clamp(min=1)
    summed = strength.new_zeros(len(strength), bins)
    return summed.index_add(1, ring[inside], strength[:, inside]) / count


def _transform(image: Image) -> Complex[Tensor, "b c h f"]:
    with torch.autocast(image.device.type, enabled=False):
        found: Tensor = torch.fft.rfft2(at_least_float32(image), norm="ortho")
    return found


@cache
def _radius(height: int, width: int, device: torch.device) -> Float[Tensor, "h f"]:
    down = torch.fft.fftfreq(height, device=device)[:, None]
    return torch.hypot(down, torch.fft.rfftfreq(width, device=device)[None])
