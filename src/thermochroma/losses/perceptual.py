"""Distance between images in the features of a frozen network. One value per image."""

from collections.abc import Callable, Sequence

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional as F

from thermochroma.base.tensors import Image, at_least_float32

FeatureNetwork = Callable[[Image], tuple[Tensor, ...]]
"""Function from images in [-1, 1] to one feature map for each tap."""


def perceptual(
    features: FeatureNetwork,
    output: Image,
    target: Image,
    *,
    factors: Sequence[float] | None = None,
) -> Float[Tensor, " b"]:
    """Sum over the taps of the mean absolute difference of features.

    factors: one for each tap; None leaves all at 1. No gradient reaches the target, whose features
    are constants. Differences are taken in float32, also under autocast: in bfloat16 features of
    similar images are equal, or a whole step apart.
    """
    with torch.no_grad():
        wanted = features(target)
    distances = [
        (at_least_float32(got) - at_least_float32(want)).abs().flatten(1).mean(1)
        for got, want in zip(features(output), wanted, strict=True)
    ]
    if factors is not None:
        distances = [one * factor for one, factor in zip(distances, factors, strict=True)]
    return torch.stack(distances).sum(0)


def feature_angles(features: FeatureNetwork, output: Image, target: Image) -> Float[Tensor, " b"]:
    """Sum over the taps of 1 - cosine between the channels at each place, mean over places.

    For features of any size: only their direction counts, as in LPIPS without its learnt weights. No
    gradient reaches the target. In float32 at least, also under autocast.
    """
    with torch.no_grad():
        wanted = features(target)
    angles = [
        1 - F.cosine_similarity(at_least_float32(got), at_least_float32(want)).flatten(1).mean(1)
        for got, want in zip(features(output), wanted, strict=True)
    ]
    return torch.stack(angles).sum(0)
