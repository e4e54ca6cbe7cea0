"""SCGAN: Zhao et al., "SCGAN: Saliency Map-guided Colorization with Generative Adversarial Network",
2021.

Rebuilt from facts of the authors' code: a U-Net of nine halvings, joined at its sixth by a global
feature network; a head that predicts saliency; a conditional critic that estimates the earth mover's
distance, with gradient penalty. All layers are spectrally normalised. First the translator learns
alone, then also from the critic. Deviations:
- images are in [-1, 1] like the tanh of the output; the authors compare it with images in [0, 1], which
  use only half of its range (`value_range: unit` restores that);
- saliency maps are frequency-tuned saliency of the target: a stand-in, since the authors take those of
  PFAN, a trained detector; the global network starts untrained, not as a classifier of ImageNet;
- VGG's input is normalised as in its training (`perceptual_imagenet_norm: false`: the authors');
- batch norms use an image's own statistics in tests, as in the original, which never leaves training
  mode, but whatever the batch (`norm: running` keeps statistics in training instead);
- the critic learns from the first image on, so that the translator never learns from an untrained one
  (`critic_waits: true` restores the authors' way: both begin in a second run);
- the learning rate is the straight line through the authors' four steps of two runs, 2e-4 to 2.5e-5;
- spectral norms iterate in training only, so that a deployed translator gives the same output twice.
Kept: convolutions start with PyTorch's initial weights (the authors' own init never reaches them), and
one critic, as in the code; `salient_critic: true` adds the second one that the paper describes.
"""

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from itertools import pairwise
from typing import Literal

from jaxtyping import Float
from pydantic import Field, model_validator
from torch import Tensor, cat, nn, stack

from thermochroma.base.tensors import Image, Thermal, Visible, to_unit
from thermochroma.contract.batch import Batch, Still
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
from thermochroma.losses.adversarial import gradient_penalty
from thermochroma.losses.perceptual import perceptual
from thermochroma.losses.pixel import absolute
from thermochroma.losses.saliency import saliency
from thermochroma.networks.batch_wide import BatchNorm2d
from thermochroma.networks.blocks import ImageNorm, scaled, spread_channels
from thermochroma.networks.frozen import FrozenNetworks
from thermochroma.networks.spectral import spectral_norm

BASE = 64
LATENT = 128  # channels inside the saliency head
LEAK = 0.2
GAMMA_STD = 0.02  # batch norms start at N(1, 0.02)
STAGES = (
    (1, 1),
    (2, 2),
    (4, 4, 4),
    (8, 8, 8),
)  # base widths of VGG-16; each stage halves at its end
DOWNS = (1, 2, 4, 8, 8, 8, 8, 8, 8)  # base widths
UPS = (8, 8, 8, 8, 8, 4, 2, 1)
JOINED = 6  # number of layers of the down path before the global features enter it
SALIENCY_LAYERS = slice(
    4, 7
)  # up layers that feed the saliency head: at 1/8, 1/4 and 1/2 of the sides

Saliency = Float[Tensor, "b 1 h w"]
BatchNorm = ImageNorm | BatchNorm2d
Norm = Callable[[int], BatchNorm]
NORMS: Mapping[str, Norm] = {"per_image": ImageNorm, "running": BatchNorm2d}
"""Norms by the name that a setting gives; they differ in evaluation only."""


class Layer(nn.Module):
    """Reflection padding, spectrally normalised convolution without bias, batch norm, activation."""

    def __init__(
        self,
        narrow: int,
        wide: int,
        *,
        kernel: int = 3,
        stride: int = 1,
        padding: int = 1,
        norm: Norm | None,
        activation: nn.Module | None = None,
    ) -> None:
        super().__init__()
        # first, as in the public checkpoints
        self.norm = nn.Identity() if norm is None else _started(norm(wide))
        convolution = nn.Conv2d(
            narrow, wide, kernel, stride, padding, bias=False, padding_mode="reflect"
        )
        self.convolution = spectral_norm(convolution)
        self.activation = nn.LeakyReLU(LEAK) if activation is None else activation

    def forward(self, x: Float[Tensor, "b c h w"]) -> Float[Tensor, "b d y x"]:
        return self.activation(self.norm(self.convolution(x)))


class SaliencyHead(nn.Module):
    """Saliency map, 0 to 1, from three layers of the way up, brought to one size. Used in training only."""

    def __init__(self, *, base: int, latent: int, norm: Norm) -> None:
        super().__init__()
        self.from_eighth = nn.Sequential(
            _up(8 * base, latent, norm=norm), _up(latent, latent, norm=norm)
        )
        self.from_quarter = _up(4 * base, latent, norm=norm)
        self.from_half = Layer(2 * base, latent, norm=norm)
        self.to_full = _up(3 * latent, latent, norm=norm)
        self.draw = Layer(latent, 1, norm=None, activation=nn.Sigmoid())

    def forward(self, attended: list[Tensor]) -> Saliency:
        eighth, quarter, half = attended
        joined = cat(
            [self.from_eighth(eighth), self.from_quarter(quarter), self.from_half(half)], dim=1
        )
        return self.draw(self.to_full(joined))


class ScganTranslator(Translator[Still]):
    """Global network and U-Net, down to 1x1 at 256x256: sides are multiples of 256.

    The parts are in the order of the public checkpoints.
    """

    def __init__(
        self,
        *,
        scale: float,
        thermal_channels: int,
        saliency_head: bool,
        value_range: str,
        norm: str,
    ) -> None:
        super().__init__()
        base, made = scaled(BASE, scale), NORMS[norm]
        self.thermal_channels = thermal_channels
        self.enter, self.leave = RANGES[value_range]
        self.global_features = _global_network(thermal_channels, base, norm=made)
        latent = scaled(LATENT, scale)
        self.saliency_head = (
            SaliencyHead(base=base, latent=latent, norm=made) if saliency_head else None
        )
        self.downs = nn.ModuleList(_downs(thermal_channels, base, norm=made))
        self.ups = nn.ModuleList(_ups(base, norm=made))

    def forward(self, seen: Still) -> Image:
        return self.leave(self._run(self.spread(seen.thermal))[0])

    def predict(self, seen: Still) -> tuple[Image, Saliency | None]:
        """Output in [-1, 1], and the predicted saliency map if there is a head for it."""
        output, attended = self._run(self.spread(seen.thermal))
        salient = None if self.saliency_head is None else self.saliency_head(attended)
        return self.leave(output), salient

    def spread(self, thermal: Thermal) -> Float[Tensor, "b k h w"]:
        """Thermal image as the networks take it, in their number of channels and value range."""
        return self.enter(spread_channels(thermal, self.thermal_channels))

    def _run(self, x: Image) -> tuple[Visible, list[Tensor]]:
        meaning = self.global_features(x)
        skips: list[Tensor] = []
        for down in self.downs:
            joined = cat([x, meaning], dim=1) if len(skips) == JOINED else x
            x = down(joined)
            skips.append(x)
        x, ups = skips.pop(), []
        for up in self.ups[:-1]:
            ups.append(up(x))
            x = cat([skips.pop(), ups[-1]], dim=1)
        return self.ups[-1](x), ups[SALIENCY_LAYERS]


class Critic(nn.Module):
    """Critic with one value for each patch of an image, given the thermal one: 30x30 at 256x256."""

    def __init__(self, *, in_channels: int, base: int) -> None:
        super().__init__()
        self.body = nn.Sequential(
            Layer(in_channels, base, kernel=7, padding=3, norm=None),
            Layer(base, 2 * base, stride=2, norm=BatchNorm2d),
            Layer(2 * base, 4 * base, stride=2, norm=BatchNorm2d),
            Layer(4 * base, 8 * base, stride=2, norm=BatchNorm2d),
            Layer(8 * base, 8 * base, kernel=4, norm=BatchNorm2d),
            Layer(8 * base, 1, kernel=4, norm=None, activation=nn.Identity()),
        )

    def forward(
        self, thermal: Float[Tensor, "b k h w"], image: Visible
    ) -> Float[Tensor, "b 1 y x"]:
        return self.body(cat([thermal, image], dim=1))


class ScganGame(Game[Batch[Still]]):
    """Game of the critic, then the translator, which learns from it after `warm_up_share` of the images."""

    def __init__(
        self,
        *,
        translator: ScganTranslator,
        scale: float,
        frozen: FrozenNetworks,
        warm_up_share: float,
        critic_waits: bool,
        saliency_of: str,
        salient_critic: bool,
        perceptual_taps: tuple[int, ...],
        perceptual_imagenet_norm: bool,
    ) -> None:
        super().__init__()
        self.translator = translator
        self.warm_up_share, self.critic_waits = warm_up_share, critic_waits
        self.saliency_of = saliency_of
        self.critics = nn.ModuleList(
            Critic(in_channels=translator.thermal_channels + 3, base=scaled(BASE, scale))
            for _ in range(2 if salient_critic else 1)
        )
        self.imagenet_norm = perceptual_imagenet_norm
        self.features = frozen.vgg16(taps=perceptual_taps, imagenet_norm=perceptual_imagenet_norm)

    def players(self) -> Mapping[str, nn.Module]:
        return {"critic": self.critics, "translator": self.translator}

    def turns(self, batch: Batch[Still], progress: Progress) -> Iterator[Turn]:
        use_critic = progress.has_reached(self.warm_up_share)
        enter = self.translator.enter
        output, salient = self.translator.predict(batch.seen)
        fakes = _views(enter(output), salient)
        reals = _views(enter(batch.target), self.saliency(batch) if salient is not None else None)
        if use_critic or not self.critic_waits:
            yield Turn("critic", self.critic_terms(batch.seen, reals, fakes))
        terms = {"content": absolute(fakes[0], reals[0])}
        if salient is not None:
            terms["attention"] = absolute(fakes[1], reals[1])
        if use_critic:
            terms["perceptual"] = self.perceptual(output, batch.target)
            terms["adversarial"] = -self.score(batch.seen, fakes)
        yield Turn("translator", terms)

    def critic_terms(
        self, seen: Still, reals: list[Image], fakes: list[Image]
    ) -> Mapping[str, Float[Tensor, " b"]]:
        """Terms of earth mover's distance and gradient penalty; with two critics, the sum over them."""
        fakes = [fake.detach() for fake in fakes]
        return {
            "critic_fake": self.score(seen, fakes),
            "critic_real": -self.score(seen, reals),
            "gradient_penalty": self.penalty(seen, reals, fakes),
        }

    def penalty(self, seen: Still, reals: list[Image], fakes: list[Image]) -> Float[Tensor, " b"]:
        """Gradient penalty between fake and real, summed over critics; the thermal image is the same."""
        thermal = self.translator.spread(seen.thermal)
        penalties = [
            gradient_penalty(partial(critic, thermal), real, fake)
            for critic, real, fake in zip(self.critics, reals, fakes, strict=False)
        ]
        return stack(penalties).sum(0)

    def score(self, seen: Still, views: list[Image]) -> Float[Tensor, " b"]:
        """Mean of a critic's output over patches, the first on the image, the second on its salient
        part; summed over critics."""
        thermal = self.translator.spread(seen.thermal)
        logits = [
            critic(thermal, view).flatten(1).mean(1)
            for critic, view in zip(self.critics, views, strict=False)
        ]
        return stack(logits).sum(0)

    def saliency(self, batch: Batch[Still]) -> Saliency:
        """Saliency map that the head must predict: of the target, or of the thermal image."""
        return saliency(batch.target if self.saliency_of == "visible" else batch.seen.thermal)

    def perceptual(self, output: Image, target: Image) -> Float[Tensor, " b"]:
        """Perceptual term; without ImageNet's normalisation, VGG sees the networks' value range."""
        if self.imagenet_norm:
            return perceptual(self.features, output, target)
        enter = self.translator.enter
        return perceptual(self.features, enter(output), enter(target))


def as_it_is(image: Image) -> Image:
    """Return the image as it is, in [-1, 1]."""
    return image


def from_unit(image: Image) -> Image:
    """Convert [0, 1] to [-1, 1]."""
    return image * 2 - 1


def _views(image: Image, salient: Saliency | None) -> list[Image]:
    """The image and, if saliency is known, the image times it."""
    return [image] if salient is None else [image, image * salient]


def _started(norm: BatchNorm) -> BatchNorm:
    nn.init.normal_(norm.weight, 1.0, GAMMA_STD)
    return norm


def _up(wide: int, narrow: int, *, norm: Norm) -> nn.Sequential:
    return nn.Sequential(nn.Upsample(scale_factor=2), Layer(wide, narrow, norm=norm))


def _global_network(in_channels: int, base: int, *, norm: Norm) -> nn.Sequential:
    """VGG-16 with strides of 2 instead of pools, the last in a layer of its own: 1/32 of the sides."""
    layers: list[nn.Module] = []
    narrow = in_channels
    for stage in STAGES:
        for place, width in enumerate(stage, start=1):
            stride = 2 if place == len(stage) else 1
            between = norm if layers else None
            layers.append(Layer(narrow, width * base, stride=stride, norm=between))
            narrow = width * base
    layers += [Layer(narrow, narrow, stride=stride, norm=norm) for stride in (1, 1, 1, 2)]
    return nn.Sequential(*layers)


def _downs(in_channels: int, base: int, *, norm: Norm) -> list[nn.Module]:
    widths = [width * base for width in DOWNS]
    downs: list[nn.Module] = [Layer(in_channels, widths[0], kernel=7, padding=3, norm=None)]
    for place, (narrow, wide) in enumerate(pairwise(widths), start=1):
        joined = narrow + 8 * base if place == JOINED else narrow
        between = (
            norm if place < len(widths) - 1 else None
        )  # a norm after the last would see one value
        downs.append(Layer(joined, wide, stride=2, norm=between))
    return downs


def _ups(base: int, *, norm: Norm) -> list[nn.Module]:
    skips = [0, *reversed(DOWNS[1:-1])]
    comes = [DOWNS[-1], *UPS]
    ups: list[nn.Module] = [
        _up((below + skip) * base, width * base, norm=norm)
        for below, skip, width in zip(comes, skips, UPS, strict=False)
    ]
    last = (UPS[-1] + DOWNS[0]) * base
    return [*ups, Layer(last, 3, norm=None, activation=nn.Tanh())]


Change = Callable[[Tensor], Tensor]
RANGES: Mapping[str, tuple[Change, Change]] = {
    "signed": (as_it_is, as_it_is),
    "unit": (to_unit, from_unit),
}
"""Conversions from [-1, 1] to the networks' value range, and back."""


class TranslatorSettings(Strict):
    thermal_channels: Literal[1, 3]
    saliency_head: bool
    value_range: Literal["signed", "unit"]
    norm: Literal["per_image", "running"]


class GameSettings(Strict):
    warm_up_share: float = Field(ge=0, le=1)
    critic_waits: bool
    saliency_of: Literal["visible", "thermal"]
    salient_critic: bool
    perceptual_taps: tuple[int, ...]
    perceptual_imagenet_norm: bool


class Weights(Strict):
    critic_fake: float
    critic_real: float
    gradient_penalty: float
    content: float
    attention: float
    perceptual: float
    adversarial: float


class ScganSettings(Settings):
    translator: TranslatorSettings
    game: GameSettings
    weights: Weights

    @model_validator(mode="after")
    def _something_salient(self) -> "ScganSettings":
        if self.game.salient_critic and not self.translator.saliency_head:
            raise ValueError("`salient_critic` needs `saliency_head`")
        return self


METHOD = Method(
    title="SCGAN",
    paper="Zhao et al., SCGAN: Saliency Map-guided Colorization with Generative Adversarial Network, "
    "IEEE TCSVT 31(8), 2021",
    licence="original code MIT; none of it is used",
    direction=Direction.THERMAL_TO_VISIBLE,
    settings=ScganSettings,
    sees=Still,
    pairing=Pairing.ALIGNED,
    sides_multiple_of=256,
    published_parameters={"scgan": {"critic": 5_766_144, "translator": 58_755_200}},
    translator=ScganTranslator,
    game=ScganGame,
)
