"""Encoders: a thermal image in, feature maps at several strides out; frozen ones were taught elsewhere.

The weights of a frozen encoder belong to the translator that holds it: its file carries them, so that
whoever deploys it needs nothing else. No optimizer moves them.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from math import gcd, prod
from typing import Final, Literal

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from thermochroma.base.tensors import Thermal, Visible, constant
from thermochroma.networks import efficientnet_lite as lite
from thermochroma.networks.blocks import scaled, spread_channels
from thermochroma.networks.frozen import (
    IMAGENET_MEAN,
    IMAGENET_STD,
    VGG_CONVS,
    FrozenNetworks,
)

EncoderName = Literal[
    "efficientnet_lite0", "efficientnet_lite0_to_16", "vgg16", "lite0_to_16_and_vgg16", "none"
]
"""efficientnet_lite0_to_16: without what lies behind its map at a stride of 16 pixels;
lite0_to_16_and_vgg16: its maps and VGG-16's. none: nothing that was taught elsewhere, but a stack of
convolutions that learns with the decoder."""
Maps = tuple[Float[Tensor, "b _ _ _"], ...]


class Encoder(nn.Module, ABC):
    """Encoder of thermal images. strides: of its maps, rising, in pixels. widths: their channels."""

    strides: tuple[int, ...]
    widths: tuple[int, ...]

    @abstractmethod
    def forward(self, thermal: Thermal) -> Maps:
        """Feature maps of images whose sides are multiples of the coarsest stride."""

    @abstractmethod
    def take(self, frozen: FrozenNetworks) -> None:
        """Take published weights. Where there are stand-ins alone, it keeps its own random ones."""


class _Frozen(Encoder):
    """Weights by name, which are random until published ones are taken, and never learn."""

    def __init__(self, shapes: Mapping[str, tuple[int, ...]]) -> None:
        super().__init__()
        self.names = tuple(shapes)
        for name, shape in shapes.items():
            spread = (2 / prod(shape[1:])) ** 0.5 if len(shape) > 1 else 0.0
            weight = nn.Parameter(torch.randn(shape) * spread, requires_grad=False)
            self.register_parameter(_plain(name), weight)

    def weights(self, name: str) -> tuple[Tensor, Tensor]:
        """Weight and bias of a convolution."""
        weight, bias = (self.get_parameter(_plain(f"{name}.{part}")) for part in ("weight", "bias"))
        return weight, bias

    @torch.no_grad()
    def copy_from(self, state: Mapping[str, Tensor] | None) -> None:
        """Copy published weights by their names; None leaves all as they are."""
        if state is not None:
            for name in self.names:
                self.get_parameter(_plain(name)).copy_(state[name])


class EfficientNetEncoder(_Frozen):
    """EfficientNet-Lite0 up to a stride: its maps at 4 pixels and coarser, outputs of each last block."""

    def __init__(self, *, coarsest: int) -> None:
        kept = lite.shapes_up_to(coarsest)
        super().__init__(kept)
        self.coarsest = coarsest
        self.strides = tuple(one for one in lite.STRIDES if 4 <= one <= coarsest)
        self.widths = tuple(lite.widths_of()[one] for one in self.strides)

    def forward(self, thermal: Thermal) -> Maps:
        return lite.maps(self.weights, spread_channels(thermal, 3), coarsest=self.coarsest)[1:]

    def take(self, frozen: FrozenNetworks) -> None:
        self.copy_from(frozen.published("efficientnet_lite0"))


class VggEncoder(_Frozen):
    """VGG-16: log(1 + x) of relu2_2 averaged to a stride of 4, and of relu3_3, relu4_3 and relu5_3."""

    strides = (4, 4, 8, 16)
    widths = (128, 256, 512, 512)

    def __init__(self) -> None:
        super().__init__(_vgg_shapes())

    def forward(self, thermal: Thermal) -> Maps:
        x, found = _normalised(spread_channels(thermal, 3)), []
        for place, number in enumerate(VGG_CONVS["vgg16"]):
            if number in _AFTER_POOL:
                x = F.max_pool2d(x, 2)
            x = F.relu(F.conv2d(x, *self.weights(f"features.{number}"), padding=1))
            if place in _LAST_OF_BLOCK:
                found.append(x)
        first, *others = found
        return tuple(torch.log1p(one) for one in (F.avg_pool2d(first, 2), *others))

    def take(self, frozen: FrozenNetworks) -> None:
        self.copy_from(frozen.published("vgg16"))


class SeveralEncoders(Encoder):
    """Maps of several encoders, the finest first; of one stride, in the encoders' order."""

    def __init__(self, *encoders: Encoder) -> None:
        super().__init__()
        self.encoders = nn.ModuleList(encoders)
        strides = [stride for one in encoders for stride in one.strides]
        widths = [width for one in encoders for width in one.widths]
        self.order = sorted(range(len(strides)), key=strides.__getitem__)
        self.strides = tuple(strides[place] for place in self.order)
        self.widths = tuple(widths[place] for place in self.order)

    def forward(self, thermal: Thermal) -> Maps:
        found: list[Tensor] = []
        for encoder in self.encoders:
            maps: Maps = encoder(thermal)
            found += maps
        return tuple(found[place] for place in self.order)

    def take(self, frozen: FrozenNetworks) -> None:
        for one in self.encoders:
            assert isinstance(one, Encoder)
            one.take(frozen)


class TaughtEncoder(Encoder):
    """Ten convolutions that learn with the decoder: two at each of the strides 2 to 32."""

    strides = (4, 8, 16, 32)

    def __init__(self, *, base: int, scale: float) -> None:
        super().__init__()
        self.widths = tuple(scaled(base * factor, scale) for factor in (1, 1, 2, 2))
        before = [1, self.widths[0], *self.widths[:-1]]
        after = [self.widths[0], *self.widths]
        self.steps = nn.ModuleList(
            _step(narrow, wide) for narrow, wide in zip(before, after, strict=True)
        )

    def forward(self, thermal: Thermal) -> Maps:
        x, found = thermal, []
        for step in self.steps:
            x = step(x)
            found.append(x)
        return tuple(found[1:])

    def take(self, frozen: FrozenNetworks) -> None:
        """Take nothing."""


def encoder_named(name: EncoderName, *, base: int, scale: float) -> Encoder:
    """Build an encoder with random weights. base, scale: width of one that learns."""
    if name == "vgg16":
        return VggEncoder()
    if name == "lite0_to_16_and_vgg16":
        return SeveralEncoders(EfficientNetEncoder(coarsest=16), VggEncoder())
    if name == "none":
        return TaughtEncoder(base=base, scale=scale)
    return EfficientNetEncoder(coarsest=16 if name == "efficientnet_lite0_to_16" else 32)


def groups_of(channels: int) -> int:
    """Groups of a group norm: eight, or as many as divide the channels."""
    return gcd(channels, 8)


_AFTER_POOL: Final = (5, 10, 17, 24)
_LAST_OF_BLOCK: Final = (3, 6, 9, 12)


def _vgg_shapes() -> dict[str, tuple[int, ...]]:
    widths = (64, 64, 128, 128, 256, 256, 256, *(512,) * 6)
    shapes: dict[str, tuple[int, ...]] = {}
    for number, narrow, wide in zip(VGG_CONVS["vgg16"], (3, *widths), widths, strict=False):
        shapes[f"features.{number}.weight"] = (wide, narrow, 3, 3)
        shapes[f"features.{number}.bias"] = (wide,)
    return shapes


def _normalised(image: Visible) -> Visible:
    mean, std = (constant(values, image).view(3, 1, 1) for values in (IMAGENET_MEAN, IMAGENET_STD))
    return ((image + 1) / 2 - mean) / std


def _step(narrow: int, wide: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(narrow, wide, 3, stride=2, padding=1),
        nn.GroupNorm(groups_of(wide), wide),
        nn.GELU(),
        nn.Conv2d(wide, wide, 3, padding=1),
        nn.GroupNorm(groups_of(wide), wide),
        nn.GELU(),
    )


def _plain(name: str) -> str:
    return name.replace(".", "_")
