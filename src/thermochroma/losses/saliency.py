"""Saliency of an image, computed without a network.

Frequency-tuned saliency (Achanta et al., CVPR 2009): distance of the colour of a place, slightly
blurred, from the mean colour of the image. A stand-in where a method needs the maps of a trained
saliency detector.
"""

from typing import Final

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional as F

from thermochroma.base.colour_space import lab_of_linear, linear_of
from thermochroma.base.tensors import Image, at_least_float32, constant, to_unit

BINOMIAL: Final = (1 / 16, 4 / 16, 6 / 16, 4 / 16, 1 / 16)
LEAST: Final = 1e-3
"""Least distance that counts as salient, below one grey level: an image of one colour gets zeros, not
its rounding errors."""


@torch.no_grad()
def saliency(images: Image) -> Float[Tensor, "b 1 h w"]:
    """Map images in [-1, 1], visible or thermal, to saliency in [0, 1], where 1 is each image's maximum.

    Visible images are compared in CIE L*a*b*, thermal ones in their single channel. In float32 at
    least, also under autocast. No gradient passes.
    """
    with torch.autocast(images.device.type, enabled=False):
        unit = to_unit(at_least_float32(images)).clamp(0, 1)
        colours = lab_of_linear(linear_of(unit)) if unit.shape[1] == 3 else unit
        away = _blurred(colours) - colours.mean((2, 3), keepdim=True)
        distance = away.square().sum(1, keepdim=True).sqrt()
        return distance / distance.amax((1, 2, 3), keepdim=True).clamp(min=LEAST)


def _blurred(colours: Float[Tensor, "b c h w"]) -> Float[Tensor, "b c h w"]:
    channels = colours.shape[1]
    row = constant(BINOMIAL, colours)
    kernel = torch.outer(row, row).expand(channels, 1, 5, 5)
    return F.conv2d(F.pad(colours, (2, 2, 2, 2), mode="reflect"), kernel, groups=channels)
