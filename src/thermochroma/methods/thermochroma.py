"""Thermochroma's own method: frozen features of natural images, a small decoder, and a knob.

A network that was taught on natural images reads a thermal image well enough that a small decoder on its
frozen feature maps can tell colours from few pairs; the field uses such networks in losses, not as
encoders. Two images come out of one set of weights: the mean, taught with squared error and SSIM, and a
sharp one, the mean plus a residual taught with features and a critic. A user chooses between them on a
straight line, which is optimal for squared error against the distance of distributions (Freirich,
Michaeli, Meir, "A Theory of the Distortion-Perception Tradeoff in Wasserstein Space", NeurIPS 2021).
"""

from collections.abc import Iterator, Mapping
from typing import Final

import torch
import torch.nn.functional as F
from jaxtyping import Float
from pydantic import Field, PositiveInt
from torch import Tensor, cat, nn

from thermochroma.base.tensors import Image, Thermal, Visible, at_least_float32
from thermochroma.contract.batch import Batch, Tunable
from thermochroma.contract.method import (
    Direction,
    Game,
    Method,
    Pairing,
    Progress,
    Translator,
    Turn,
)
from thermochroma.contract.settings import Settings, Strict
from thermochroma.losses.adversarial import CRITERIA
from thermochroma.losses.perceptual import feature_angles
from thermochroma.losses.structure import dissimilarity
from thermochroma.networks.batch_wide import dropout, dropout2d
from thermochroma.networks.blocks import ImageNorm, init_normal, scaled
from thermochroma.networks.efficientnet_lite import load_efficientnet
from thermochroma.networks.encoders import EncoderName, Maps, encoder_named, groups_of
from thermochroma.networks.frozen import FrozenNetworks
from thermochroma.networks.patchgan import PatchCritic
from thermochroma.networks.resizing import bilinear

CRITIC_BASE: Final = 64
BANDS: Final = (3, 7, 15, 31)
"""Sides, in pixels, of the means that are taken from the thermal image, for four bands of its detail."""
SIDES: Final = 32
LEAST_SIDE: Final = 32


class ThermochromaTranslator(Translator[Tunable]):
    """Frozen encoder; decoders at a quarter of the size, each with heads for colours and detail; sharpness.

    Sides are multiples of 32.
    """

    def __init__(
        self,
        *,
        scale: float,
        encoder: EncoderName,
        width: int,
        decoders: int,
        context: bool,
        detail: bool,
        dropout: float,
    ) -> None:
        super().__init__()
        self.encoder = encoder_named(encoder, base=width, scale=scale)
        width = scaled(width, scale)
        self.decoder = Decoder(self.encoder.widths, width, context=context, dropout=dropout)
        self.mean = MeanHead(width, detail=detail)
        self.others = nn.ModuleList(
            DecoderAndHead(
                Decoder(self.encoder.widths, width, context=context, dropout=dropout),
                MeanHead(width, detail=detail),
            )
            for _ in range(decoders - 1)
        )
        self.residual = SharpHead(width)

    def forward(self, seen: Tunable) -> Image:
        if _nobody_wants_more_than_the_mean(seen.sharpness):
            maps = self.encoder(seen.thermal)
            return averaged(self.means(maps, self.decoder(maps), seen.thermal))
        means, sharp = self.all(seen.thermal)
        mean = averaged(means)
        return torch.lerp(mean, sharp, seen.sharpness[:, None, None, None].to(mean.dtype))

    def all(self, thermal: Thermal) -> tuple[list[Visible], Visible]:
        """Each decoder's mean, and the sharp image. No gradient of the sharp one reaches a mean."""
        maps = self.encoder(thermal)
        features = self.decoder(maps)
        means = self.means(maps, features, thermal)
        still = averaged(means).detach()
        return means, still + self.residual(features.detach(), still, thermal)

    def means(
        self, maps: Maps, features: Float[Tensor, "b c y x"], thermal: Thermal
    ) -> list[Visible]:
        """Each decoder's mean. features: those of the first decoder."""
        return [self.mean(features, thermal), *(one(maps, thermal) for one in self.others)]


def _nobody_wants_more_than_the_mean(sharpness: Float[Tensor, " b"]) -> bool:
    """Whether the sharp image need not be made, a fifth to two fifths of the work.

    Whoever traces the network, for a file or a diagram, sees all of it.
    """
    if torch.jit.is_tracing() or torch.compiler.is_compiling() or type(sharpness) is not Tensor:
        return False
    return not bool(sharpness.any())


def averaged(images: list[Visible]) -> Visible:
    """Average over the decoders: what one of them has seen in few pairs, another one has not."""
    return images[0] if len(images) == 1 else torch.stack(images).mean(0)


class Decoder(nn.Module):
    """From the coarsest map to the finest: each is brought to one width, and added to what came before."""

    def __init__(
        self,
        widths: tuple[int, ...],
        width: int,
        *,
        context: bool,
        dropout: float,
    ) -> None:
        super().__init__()
        self.norms = nn.ModuleList(ChannelNorm(one) for one in widths)
        self.dropout = dropout
        self.adapt = nn.ModuleList(nn.Conv2d(one, width, 1) for one in widths)
        self.context = nn.Linear(widths[-1], width) if context else None
        self.mix = nn.ModuleList(Mix(width) for _ in widths)

    def forward(self, maps: Maps) -> Float[Tensor, "b c y x"]:
        """Features at the stride of the finest map, a quarter of the image's sides."""
        normed = [norm(one) for norm, one in zip(self.norms, maps, strict=True)]
        adapted = [
            adapt(dropout2d(one, self.dropout, self.training))
            for adapt, one in zip(self.adapt, normed, strict=True)
        ]
        x = torch.zeros_like(adapted[-1])
        if self.context is not None:
            pooled = normed[-1].mean((2, 3))
            x = x + self.context(dropout(pooled, self.dropout, self.training))[:, :, None, None]
        for finer, mix in zip(reversed(adapted), reversed(self.mix), strict=True):
            x = mix(x, finer)
        return x


class Mix(nn.Module):
    """A coarser map enlarged and added to a finer one, then mixed with its neighbours."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.norm = nn.GroupNorm(groups_of(width), width)
        self.conv = nn.Conv2d(width, width, 3, padding=1)

    def forward(
        self, coarser: Float[Tensor, "b c _ _"], finer: Float[Tensor, "b c y x"]
    ) -> Float[Tensor, "b c y x"]:
        x = _enlarged(coarser, finer.shape[-2:]) + finer
        return x + self.conv(F.gelu(self.norm(x)))


class ChannelNorm(nn.Module):
    """Layer norm over the channels of each place, so that no image depends on its batch."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(channels)

    def forward(self, x: Float[Tensor, "b c y x"]) -> Float[Tensor, "b c y x"]:
        return self.norm(x.movedim(1, -1)).movedim(-1, 1)


class MeanHead(nn.Module):
    """Colours at a quarter of the size, and gains for four bands of the thermal image's own detail."""

    def __init__(self, width: int, *, detail: bool) -> None:
        super().__init__()
        self.colours = nn.Conv2d(width, 3, 3, padding=1)
        self.gains = nn.Conv2d(width, 3 * len(BANDS), 3, padding=1) if detail else None
        for head in (self.colours, self.gains):
            if head is not None:
                nn.init.zeros_(head.weight)
                assert head.bias is not None
                nn.init.zeros_(head.bias)

    def forward(self, features: Float[Tensor, "b c y x"], thermal: Thermal) -> Visible:
        active = F.gelu(features)
        image = _enlarged(self.colours(active), thermal.shape[-2:])
        if self.gains is None:
            return image
        gains = _enlarged(self.gains(active), thermal.shape[-2:]).unflatten(1, (3, len(BANDS)))
        return image + (gains * bands(thermal)[:, None]).sum(2)


class DecoderAndHead(nn.Module):
    """One more decoder on the same maps, from other random weights, with a head of its own."""

    def __init__(self, decoder: Decoder, head: MeanHead) -> None:
        super().__init__()
        self.decoder = decoder
        self.head = head

    def forward(self, maps: Maps, thermal: Thermal) -> Visible:
        image: Visible = self.head(self.decoder(maps), thermal)
        return image


class SharpHead(nn.Module):
    """The residual from the mean to a sharp image, at half the size and at full size."""

    def __init__(self, width: int) -> None:
        super().__init__()
        half, full = max(1, width // 2), max(1, width // 4)
        self.enter = nn.Conv2d(width, half, 3, padding=1)
        self.at_half = nn.Conv2d(half + 16, half, 3, padding=1)
        self.deeper = nn.Conv2d(half, half, 3, padding=1)
        self.at_full = nn.Conv2d(half + 4, full, 3, padding=1)
        self.out = nn.Conv2d(full, 3, 3, padding=1)
        nn.init.zeros_(self.out.weight)
        assert self.out.bias is not None
        nn.init.zeros_(self.out.bias)

    def forward(
        self, features: Float[Tensor, "b c y x"], mean: Visible, thermal: Thermal
    ) -> Visible:
        shown = cat([mean, thermal], 1)
        folded = F.pixel_unshuffle(shown, 2)
        x = F.gelu(_enlarged(self.enter(F.gelu(features)), folded.shape[-2:]))
        x = F.gelu(self.at_half(cat([x, folded], 1)))
        x = x + F.gelu(self.deeper(x))
        x = F.gelu(self.at_full(cat([_enlarged(x, thermal.shape[-2:]), shown], 1)))
        return self.out(x)


def bands(thermal: Thermal) -> Float[Tensor, "b 4 h w"]:
    """Detail of the thermal image: what is left of it without its mean over 3, 7, 15 and 31 pixels."""
    return cat([thermal - box_mean(thermal, side) for side in BANDS], 1)


def box_mean(image: Thermal, side: int) -> Thermal:
    """Mean over squares of an odd side, with mirrored borders."""
    padded = F.pad(image, (side // 2,) * 4, mode="reflect")
    return F.avg_pool2d(F.avg_pool2d(padded, (side, 1), 1), (1, side), 1)


class ThermochromaGame(Game[Batch[Tunable]]):
    """Mean and sharp image in one turn: they share no weight that both could move."""

    def __init__(
        self, *, translator: ThermochromaTranslator, scale: float, frozen: FrozenNetworks
    ) -> None:
        super().__init__()
        translator.encoder.take(frozen)
        self.translator = translator
        self.features = load_efficientnet(frozen.folder("efficientnet_lite0"))
        self.critic = PatchCritic(
            in_channels=4, base=scaled(CRITIC_BASE, scale), norm=ImageNorm, biased=False
        )
        init_normal(self.critic)
        self.criterion = CRITERIA["least_squares"]

    def players(self) -> Mapping[str, nn.Module]:
        return {"critic": self.critic, "translator": self.translator}

    def turns(self, batch: Batch[Tunable], progress: Progress) -> Iterator[Turn]:
        thermal, target = batch.seen.thermal, batch.target
        means, sharp = self.translator.all(thermal)
        pair = cat([thermal, sharp], 1)
        yield Turn(
            "critic",
            {
                "critic_real": self.criterion.real(self.critic(cat([thermal, target], 1))),
                "critic_fake": self.criterion.fake(self.critic(pair.detach())),
            },
        )
        yield Turn(
            "translator",
            {
                **terms_of_means(means, target),
                "perceptual": feature_angles(self.features, sharp, target),
                "adversarial": self.criterion.real(self.critic(pair)),
            },
        )


def terms_of_means(means: list[Visible], target: Visible) -> dict[str, Float[Tensor, " b"]]:
    """Terms of the decoders' means, on an average: each decoder is taught by itself, not their average."""
    content = [squared(one, target) for one in means]
    structure = [dissimilarity(one.clamp(-1, 1), target) for one in means]
    return {"content": torch.stack(content).mean(0), "structure": torch.stack(structure).mean(0)}


def squared(output: Image, target: Image) -> Float[Tensor, " b"]:
    """Mean squared difference over pixels and channels."""
    return (at_least_float32(output) - target).square().flatten(1).mean(1)


def _enlarged(x: Float[Tensor, "b c y x"], size: torch.Size) -> Float[Tensor, "b c h w"]:
    return bilinear(x, (size[0], size[1]))


class TranslatorSettings(Strict):
    encoder: EncoderName
    width: PositiveInt
    """Channels of the decoder at scale 1."""
    decoders: PositiveInt = 1
    """Decoders on the same maps, whose means are averaged; each is taught by itself."""
    context: bool
    """Whether the decoder gets the mean of the coarsest map over the image."""
    detail: bool
    """Whether the mean is given detail of the thermal image."""
    dropout: float = Field(ge=0, lt=1)
    """Share of the encoder's channels that a training image does not show to the decoder."""


class Weights(Strict):
    critic_real: float
    critic_fake: float
    content: float
    structure: float
    perceptual: float
    adversarial: float


class ThermochromaSettings(Settings):
    translator: TranslatorSettings
    game: Strict = Strict()
    weights: Weights


METHOD = Method(
    title="Thermochroma",
    paper="none: this project's own method",
    licence="ours; no code of others is used",
    direction=Direction.THERMAL_TO_VISIBLE,
    settings=ThermochromaSettings,
    sees=Tunable,
    pairing=Pairing.ALIGNED,
    sides_multiple_of=SIDES,
    least_side=LEAST_SIDE,
    published_parameters={
        "thermochroma": {"critic": 2_766_657, "translator": 11_428_575},
        "thermochroma_small": {"critic": 2_766_657, "translator": 111_130},
    },
    counts_are_published=False,
    translator=ThermochromaTranslator,
    game=ThermochromaGame,
)
