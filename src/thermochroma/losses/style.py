"""Likeness of style: features that occur together, at any place. One value per image."""

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor

from thermochroma.base.tensors import at_least_float32


def gram(features: Float[Tensor, "b c h w"]) -> Float[Tensor, "b c c"]:
    """Products of all pairs of channels over c h w (Gatys et al., CVPR 2016). In float32 at least."""
    with torch.autocast(features.device.type, enabled=False):
        flat = at_least_float32(features).flatten(2)
        return flat @ flat.transpose(1, 2) / (flat.shape[1] * flat.shape[2])


def style_distance(
    output: Sequence[Float[Tensor, "b _ _ _"]],
    target: Sequence[Float[Tensor, "b _ _ _"]],
    *,
    factors: Sequence[float],
) -> Float[Tensor, " b"]:
    """Sum over feature maps of the mean squared difference of Gram matrices, times the map's factor."""
    distances = [
        factor * (gram(one) - gram(other)).square().flatten(1).mean(1)
        for one, other, factor in zip(output, target, factors, strict=True)
    ]
    return torch.stack(distances).sum(0)
