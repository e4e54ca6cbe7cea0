"""Reference-contrastive, a reconstruction: after Zhan et al., Infrared Physics & Technology 145, 2024.

No code is public and only the abstract was available. It names the parts: two encoders (thermal,
reference), a multi-receptive-field feature integration module (MFIM), a channel-spatial feature
enhancement module (CSFEM), an improved stop-gradient attention (ISGA) that aligns both, and three terms
(adversarial, perceptual, contrastive). The inside of the parts is our design, after their known sources
(receptive field blocks, CBAM, SGA, CUT), so the counts below are those of this file, and no score of the
paper may be compared with ours. Differences from the sources and from the abstract:
- attention compares by cosine with a temperature (`likeness: dot`, `temperature: 1.0`: SGA's raw
  products, with which each query selects one key), on tokens of several levels at 1/8 of the sides;
- a gate can reduce the weight of a reference in which nothing is similar (`confidence_gate`);
- the contrastive term compares the output with the target, place by place, in the reference's encoder
  (`nce_anchor: thermal`: with the thermal image, in its encoder, as in CUT; `both`: half and half);
- a pixel term is added to the three (`content: 0` removes it).
The reference reaches the output through the attention only, never through a skip: its structure cannot
be copied.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from itertools import pairwise
from typing import Literal

import torch
from jaxtyping import Float
from pydantic import PositiveFloat, PositiveInt, model_validator
from torch import Tensor, cat, nn, stack
from torch.nn import functional as F

from thermochroma.base.colour_space import LUMA
from thermochroma.base.tensors import Image, Thermal, Visible, at_least_float32, constant
from thermochroma.contract.batch import Batch, Referenced
from thermochroma.contract.method import (
    Direction,
    Game,
    Method,
    Pairing,
    Progress,
    Translator,
    Turn,
)
from thermochroma.contract.settings import ReferenceSettings, Settings, Strict
from thermochroma.games.perceptual_network import other_than_vgg19, refuse_other_layers
from thermochroma.losses.adversarial import squares_fake, squares_real
from thermochroma.losses.contrastive import patch_nce
from thermochroma.losses.perceptual import perceptual
from thermochroma.losses.pixel import absolute
from thermochroma.networks.batch_wide import BatchNorm2d
from thermochroma.networks.blocks import InstanceNorm2d, init_normal, scaled
from thermochroma.networks.frozen import FrozenNetworks, Vgg
from thermochroma.networks.patch_heads import PatchHeads, draw_places
from thermochroma.networks.patchgan import PatchCritic
from thermochroma.networks.resizing import bilinear
from thermochroma.networks.sides import at_most
from thermochroma.networks.spectral import spectral_norm

BASE = 32  # channels at full sides
STAGES = 4  # of an encoder; each is twice as wide as the one before, at half its sides
DILATIONS = ((), (1,), (1, 3), (1, 5))  # of the 3x3 layers in each branch of an MFIM
FUSING = 4  # residual blocks after the attention
TOKEN_SIDE = 32  # keys on a finer grid are pooled to this one
LEAST_COLUMN = 1e-6
GATE_SLOPE, GATE_CENTRE = 10.0, 0.5
CRITIC_BASE = 64
HEAD_WIDTH = 256
LEAK = 0.2

FeatureMaps = Float[Tensor, "b c h w"]
Norm = Callable[[int], nn.Module]


class Integration(nn.Module):
    """MFIM: residual block of four branches, each with a larger receptive field."""

    def __init__(self, channels: int, *, norm: Norm) -> None:
        super().__init__()
        narrow = max(1, channels // 4)
        self.branches = nn.ModuleList(
            nn.Sequential(
                _layer(channels, narrow, norm=norm, kernel=1),
                *(_layer(narrow, narrow, norm=norm, dilation=dilation) for dilation in dilations),
            )
            for dilations in DILATIONS
        )
        self.join = nn.Sequential(
            nn.Conv2d(len(DILATIONS) * narrow, channels, 1, bias=False), norm(channels)
        )

    def forward(self, x: FeatureMaps) -> FeatureMaps:
        joined = self.join(cat([branch(x) for branch in self.branches], dim=1))
        return F.leaky_relu(x + joined, LEAK)


class Encoder(nn.Module):
    """Four stages at 1, 1/2, 1/4 and 1/8 of the sides; tokens of all of them at the last one's."""

    def __init__(self, in_channels: int, widths: Sequence[int], *, norm: Norm) -> None:
        super().__init__()
        self.stages = nn.ModuleList(
            nn.Sequential(
                _layer(narrow, wide, norm=norm, stride=1 if depth == 0 else 2),
                Integration(wide, norm=norm),
            )
            for depth, (narrow, wide) in enumerate(pairwise([in_channels, *widths]))
        )
        self.head = nn.Conv2d(sum(widths), widths[-1], 1)

    def forward(self, image: Image) -> list[Float[Tensor, "b _ _ _"]]:
        """Features of the stages, the finest first."""
        found = []
        for stage in self.stages:
            image = stage(image)
            found.append(image)
        return found

    def tokens(self, stages: Sequence[Float[Tensor, "b _ _ _"]]) -> Float[Tensor, "b c y x"]:
        """Tokens for the attention: all stages, averaged to 1/8 of the sides and mixed."""
        last = len(stages) - 1
        pooled = [F.avg_pool2d(one, 2 ** (last - depth)) for depth, one in enumerate(stages)]
        return self.head(cat(pooled, dim=1))


@torch.no_grad()
def align(
    queries: Float[Tensor, "b q c"],
    keys: Float[Tensor, "b k c"],
    *,
    cosine: bool,
    temperature: float,
) -> tuple[Float[Tensor, "b q k"], Float[Tensor, "b q"]]:
    """Weights of the keys for each query, and the cosine of the most similar key. Float32, no gradient.

    A softmax over the keys; then every key's column is divided by its sum over the queries, so that
    no key dominates all of them: columns sum to q / k.
    """
    with torch.autocast(queries.device.type, enabled=False):
        queries, keys = at_least_float32(queries), at_least_float32(keys)
        angles = F.normalize(queries, dim=-1) @ F.normalize(keys, dim=-1).transpose(1, 2)
        likeness = angles if cosine else queries @ keys.transpose(1, 2)
        answers = (likeness / temperature).softmax(dim=-1)
        columns = answers.sum(1, keepdim=True).clamp(min=LEAST_COLUMN)
        return answers / columns * (queries.shape[1] / keys.shape[1]), angles.amax(-1)


class Alignment(nn.Module):
    """One block of ISGA: each place of x receives values from similar places of y."""

    def __init__(
        self, channels: int, *, norm: Norm, cosine: bool, temperature: float, gated: bool
    ) -> None:
        super().__init__()
        self.cosine, self.temperature, self.gated = cosine, temperature, gated
        self.query = nn.Conv2d(channels, channels, 1)
        self.value = nn.Conv2d(channels, channels, 1)
        self.norm = norm(channels)

    def forward(self, x: FeatureMaps, y: Float[Tensor, "b c v u"]) -> FeatureMaps:
        height, width = (at_most(side, TOKEN_SIDE) for side in y.shape[-2:])
        y = F.adaptive_avg_pool2d(y, (height, width))
        answers, best = align(
            _as_tokens(x), _as_tokens(y), cosine=self.cosine, temperature=self.temperature
        )
        if self.gated:
            answers = answers * confidence(best)[..., None]
        told = answers @ _as_tokens(F.leaky_relu(self.value(y), LEAK))
        told = told.transpose(1, 2).unflatten(2, x.shape[-2:])
        return self.norm(F.leaky_relu(self.query(x), LEAK) + told) + x


class Enhancement(nn.Module):
    """CSFEM: sum of x, and x gated by channels, then by places, as in CBAM."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        narrow = max(4, channels // 16)
        self.by_channel = nn.Sequential(
            nn.Conv2d(channels, narrow, 1, bias=False),
            nn.ReLU(),
            nn.Conv2d(narrow, channels, 1, bias=False),
        )
        self.by_place = nn.Conv2d(2, 1, 7, padding=3, bias=False)

    def forward(self, x: FeatureMaps) -> FeatureMaps:
        mean, most = x.mean((2, 3), keepdim=True), x.amax((2, 3), keepdim=True)
        gated = x * (self.by_channel(mean) + self.by_channel(most)).sigmoid()
        places = self.by_place(cat([gated.mean(1, True), gated.amax(1, True)], dim=1))
        return x + gated * places.sigmoid()


class Residual(nn.Module):
    """Residual block: two 3x3 convolutions with norms."""

    def __init__(self, channels: int, *, norm: Norm) -> None:
        super().__init__()
        self.body = nn.Sequential(
            _layer(channels, channels, norm=norm),
            nn.Conv2d(channels, channels, 3, padding=1, bias=False),
            norm(channels),
        )

    def forward(self, x: FeatureMaps) -> FeatureMaps:
        return x + self.body(x)


class ReferenceTranslator(Translator[Referenced]):
    """Two encoders, attention from thermal to reference, and a decoder with skips from thermal only.

    Sides are multiples of 8. The parts are in the order of the method's page.
    """

    def __init__(
        self, *, scale: float, norm: str, likeness: str, temperature: float, confidence_gate: bool
    ) -> None:
        super().__init__()
        widths = [scaled(BASE, scale) * 2**depth for depth in range(STAGES)]
        make_norm, wide = NORMS[norm], widths[-1]
        block = partial(
            Alignment, wide, norm=make_norm, cosine=likeness == "cosine", temperature=temperature
        )
        self.thermal_encoder = Encoder(1, widths, norm=make_norm)
        self.reference_encoder = Encoder(3, widths, norm=make_norm)
        self.to_reference = block(gated=confidence_gate)
        self.to_itself = block(gated=False)
        self.fuse = nn.Sequential(*(Residual(wide, norm=make_norm) for _ in range(FUSING)))
        self.enhance = nn.ModuleList(Enhancement(width) for width in widths)
        above = [*widths[1:], wide]  # channels that come from the deeper layer
        self.ups = nn.ModuleList(
            _layer(deeper + width, width, norm=make_norm)
            for deeper, width in reversed(list(zip(above, widths, strict=True)))
        )
        self.paint = nn.Sequential(nn.Conv2d(widths[0], 3, 3, padding=1), nn.Tanh())
        init_normal(self)

    def forward(self, seen: Referenced) -> Image:
        skips = self.thermal_encoder(seen.thermal)
        reference = self.reference_encoder.tokens(self.reference_encoder(seen.reference))
        aligned = self.to_reference(self.thermal_encoder.tokens(skips), reference)
        x = self.fuse(self.to_itself(aligned, aligned))
        for depth, up in zip(reversed(range(STAGES)), self.ups, strict=True):
            if x.shape[-2:] != skips[depth].shape[-2:]:
                x = bilinear(x, (2 * x.shape[-2], 2 * x.shape[-1]))
            x = up(cat([x, self.enhance[depth](skips[depth])], dim=1))
        return self.paint(x)


class ReferenceGame(Game[Batch[Referenced]]):
    """Game of a spectrally normalised critic of thermal and visible together; then the translator.

    The heads of the contrastive term are trained with the translator, and not deployed with it.
    """

    def __init__(
        self,
        *,
        translator: ReferenceTranslator,
        scale: float,
        frozen: FrozenNetworks,
        nce_anchor: str,
        nce_places: int,
        nce_temperature: float,
        perceptual_network: Vgg,
        perceptual_taps: tuple[int, ...],
        perceptual_factors: tuple[float, ...],
        perceptual_imagenet_norm: bool,
    ) -> None:
        super().__init__()
        self.translator = translator
        self.critic = PatchCritic(
            in_channels=4, base=scaled(CRITIC_BASE, scale), norm=nn.Identity, biased=True
        )
        init_normal(self.critic)
        for layer in self.critic.modules():
            if isinstance(layer, nn.Conv2d):
                spectral_norm(layer)
        widths = [scaled(BASE, scale) * 2**depth for depth in range(STAGES)]
        self.heads = nn.ModuleDict(
            {
                anchor: PatchHeads(widths, width=scaled(HEAD_WIDTH, scale))
                for anchor in ANCHORS[nce_anchor]
            }
        )
        self.places, self.temperature = nce_places, nce_temperature
        self.factors = perceptual_factors
        self.features = frozen.vgg(
            perceptual_network, taps=perceptual_taps, imagenet_norm=perceptual_imagenet_norm
        )

    def players(self) -> Mapping[str, nn.Module]:
        return {"critic": self.critic, "translator": nn.ModuleList([self.translator, self.heads])}

    def turns(self, batch: Batch[Referenced], progress: Progress) -> Iterator[Turn]:
        thermal, real = batch.seen.thermal, batch.target
        fake = self.translator(batch.seen)
        fake_pair = cat([thermal, fake], dim=1)
        yield Turn(
            "critic",
            {
                "critic_real": squares_real(self.critic(cat([thermal, real], dim=1))),
                "critic_fake": squares_fake(self.critic(fake_pair)),
            },
        )
        contrasts = [self.contrast(anchor, fake, batch) for anchor in self.heads]
        yield Turn(
            "translator",
            {
                "adversarial": squares_real(self.critic(fake_pair)),
                "content": absolute(fake, real),
                "perceptual": perceptual(self.features, fake, real, factors=self.factors),
                "contrastive": stack(contrasts).mean(0),
            },
        )

    def contrast(
        self, anchor: str, output: Visible, batch: Batch[Referenced]
    ) -> Float[Tensor, " b"]:
        """Contrastive term against the target or the thermal image, mean over the encoder's stages."""
        if anchor == "visible":
            encoder, asking, answering = self.translator.reference_encoder, output, batch.target
        else:
            encoder = self.translator.thermal_encoder
            asking, answering = luminance(output), batch.seen.thermal
        sought = encoder(asking)
        places, heads = draw_places(sought, self.places), self.heads[anchor]
        with torch.no_grad():
            known = heads(encoder(answering), places)
        pairs = zip(heads(sought, places), known, strict=True)
        return stack([patch_nce(*pair, temperature=self.temperature) for pair in pairs]).mean(0)


def confidence(best: Float[Tensor, "b q"]) -> Float[Tensor, "b q"]:
    """Weight of the reference, 0 to 1, from the cosine of the most similar key."""
    return (GATE_SLOPE * (best - GATE_CENTRE)).sigmoid()


def luminance(visible: Visible) -> Thermal:
    """Luminance in [-1, 1]: the weighted mean of red, green and blue."""
    factors = constant(LUMA, visible).view(1, 3, 1, 1)
    return (visible * factors).sum(1, keepdim=True)


def _layer(
    narrow: int, wide: int, *, norm: Norm, kernel: int = 3, stride: int = 1, dilation: int = 1
) -> nn.Sequential:
    """Convolution without bias, norm, leaky ReLU; a stride of 2 halves the sides."""
    padding = dilation * (kernel // 2)
    convolution = nn.Conv2d(narrow, wide, kernel, stride, padding, dilation, bias=False)
    return nn.Sequential(convolution, norm(wide), nn.LeakyReLU(LEAK))


def _as_tokens(x: FeatureMaps) -> Float[Tensor, "b n c"]:
    return x.flatten(2).transpose(1, 2)


ANCHORS: Mapping[str, tuple[str, ...]] = {
    "visible": ("visible",),
    "thermal": ("thermal",),
    "both": ("visible", "thermal"),
}
NORMS: Mapping[str, Norm] = {
    "batch": BatchNorm2d,
    "instance": partial(InstanceNorm2d, affine=True),
}


class TranslatorSettings(Strict):
    norm: Literal["batch", "instance"]
    likeness: Literal["cosine", "dot"]
    temperature: PositiveFloat
    confidence_gate: bool


class GameSettings(Strict):
    nce_anchor: Literal["visible", "thermal", "both"]
    nce_places: PositiveInt
    nce_temperature: PositiveFloat
    perceptual_network: Vgg = "vgg19"
    perceptual_taps: tuple[int, ...]
    perceptual_factors: tuple[float, ...]
    perceptual_imagenet_norm: bool

    _layers_are_its = model_validator(mode="after")(refuse_other_layers)


class Weights(Strict):
    critic_real: float
    critic_fake: float
    adversarial: float
    content: float
    perceptual: float
    contrastive: float


class ReferenceContrastiveSettings(Settings):
    translator: TranslatorSettings
    game: GameSettings
    weights: Weights
    references: ReferenceSettings


METHOD = Method(
    title="Reference-contrastive (reconstruction)",
    paper="after Zhan et al., Infrared Physics & Technology 145, article 105675, 2024; reconstructed from "
    "its abstract",
    licence="no original code is public; none is used",
    direction=Direction.THERMAL_TO_VISIBLE,
    settings=ReferenceContrastiveSettings,
    sees=Referenced,
    pairing=Pairing.ALIGNED,
    sides_multiple_of=8,
    published_parameters={
        # Not published: counted by hand, layer by layer (docs/methods/reference_contrastive.md). The
        # translator's player is the deployed network (8,627,851) and the contrastive heads (387,072).
        "reference_contrastive": {"critic": 2_765_761, "translator": 8_627_851 + 387_072}
    },
    counts_are_published=False,
    translator=ReferenceTranslator,
    game=ReferenceGame,
    deviation=other_than_vgg19,
    channels_first_on_processor=True,
)
