"""Layers that are computed in float32 at least, also under autocast."""

from typing import final

import torch
from jaxtyping import Float
from torch import Tensor, nn

from thermochroma.base.tensors import at_least_float32


@final
class ExactConv2d(nn.Conv2d):
    """Convolution for the first layers, in front of norms.

    The first layer's channels are all made of one image, and some are faint beside their offset. The norm
    takes the offset out and makes the faint ones as strong as the others, and so what half precision has
    rounded, by then ten times a rounding; all other layers add to it.
    """

    def forward(self, x: Float[Tensor, "b c h w"]) -> Float[Tensor, "b d y x"]:
        with torch.autocast(x.device.type, enabled=False):
            return super().forward(at_least_float32(x))
