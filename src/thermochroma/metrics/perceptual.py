"""LPIPS (Zhang et al., CVPR 2018, Eq. 1, version 0.1): a distance of deep features. One value per image.

It is meaningful with published weights only: those of the network that gives the features, and those of
the published linear layers, one weight per channel, which were fitted to human judgements. Both are
arguments; with a random stand-in for either, the score must not be taken.
"""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final, Literal, TypeAlias

import torch
from jaxtyping import Float, UInt8
from torch import Tensor

from thermochroma.base.errors import BadInput
from thermochroma.base.stored_tensors import read_state
from thermochroma.base.tensors import to_network

VGG16_TAPS: Final = (3, 8, 15, 22, 29)
"""Indices in torchvision's `features`: relu1_2, relu2_2, relu3_3, relu4_3, relu5_3, of images normalised
as in ImageNet training (which equals LPIPS's own scaling of [-1, 1])."""
Trunk = Literal["alexnet", "vgg16"]
"""Network whose features LPIPS compares: AlexNet, the default of its package, or VGG-16."""
LpipsName = Literal["lpips_alex", "lpips_vgg"]
LPIPS_TRUNKS: Final[Mapping[LpipsName, Trunk]] = {"lpips_alex": "alexnet", "lpips_vgg": "vgg16"}
"""Names of the LPIPS scores, which are those of their folders too, and the network each looks through."""
NEEDED: Final = "the linear layers as the authors of LPIPS publish them, version 0.1"
REMEDY: Final = "remove it, and fetch it again by `dvc repro -f weights`"
TINY: Final = 1e-10
"""Summand of lengths, so that a pixel without any feature does not divide by zero."""

FeatureNetwork: TypeAlias = Callable[[Tensor], Sequence[Tensor]]
"""Function from images in [-1, 1] to the feature maps of each layer, (b, channels, h, w)."""


class Lpips:
    """LPIPS distance of two images, 0 if they are equal, from features and their linear weights."""

    def __init__(self, features: FeatureNetwork, linear: Sequence[Float[Tensor, " _"]]) -> None:
        """Keep both. linear: one weight per channel, a vector for each layer of `features`."""
        self.features, self.linear = features, linear

    @torch.no_grad()
    def __call__(
        self, prediction: UInt8[Tensor, "b c h w"], truth: UInt8[Tensor, "b c h w"]
    ) -> Float[Tensor, " b"]:
        """Distances of 8-bit images, sRGB or thermal ones as grey, image by image; on the CPU."""
        pairs = zip(prediction.split(1), truth.split(1), strict=True)
        return torch.cat([self._of_one(*pair) for pair in pairs])

    def _of_one(
        self, prediction: UInt8[Tensor, "1 c h w"], truth: UInt8[Tensor, "1 c h w"]
    ) -> Float[Tensor, " 1"]:
        maps = (self.features(to_network(x).expand(-1, 3, -1, -1)) for x in (prediction, truth))
        layers = zip(*maps, self.linear, strict=True)
        return torch.stack([_distance(*layer) for layer in layers]).sum(0).cpu().double()


def read_linear(path: Path) -> tuple[Float[Tensor, " _"], ...]:
    """Read the published linear layers, `lin<n>.model.1.weight`, (1, channels, 1, 1), first layer first.

    Raises BadInput for a file that is missing, damaged or holds anything else, or a negative weight.
    """
    stored = read_state(path, needed=NEEDED, remedy=REMEDY)
    if not stored:
        raise _unlike(f"{path} holds no tensors")
    names = [f"lin{layer}.model.1.weight" for layer in range(len(stored))]
    if odd := sorted(set(names) ^ set(stored)):
        raise _unlike(f"{path} lacks or has too many of `{odd[0]}`")
    for name in names:
        shape = tuple(stored[name].shape)
        if shape != (1, stored[name].numel(), 1, 1) or not bool((stored[name] >= 0).all()):
            raise _unlike(f"`{name}` in {path} has the shape {shape} or a negative weight")
    return tuple(stored[name].flatten().float() for name in names)


def _distance(
    one: Float[Tensor, "1 n h w"], other: Float[Tensor, "1 n h w"], linear: Float[Tensor, " n"]
) -> Float[Tensor, " 1"]:
    """Distance in one layer: features of unit length at each pixel, squared differences by weight."""
    squared = (_unit(one) - _unit(other)).square()
    return torch.einsum("n,bnhw->bhw", linear, squared).mean((1, 2))


def _unit(features: Float[Tensor, "1 n h w"]) -> Float[Tensor, "1 n h w"]:
    return features / (features.square().sum(1, keepdim=True).sqrt() + TINY)


def _unlike(given: str) -> BadInput:
    return BadInput(given=given, needed=NEEDED, remedy=REMEDY)
