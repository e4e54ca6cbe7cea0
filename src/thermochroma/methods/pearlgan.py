"""PearlGAN: Luo et al., "Thermal Infrared Image Colorization for Nighttime Driving Scenes With Top-Down
Guided Attention", IEEE T-ITS 2022.

Rebuilt from facts of the authors' PyTorch code: for each spectrum an encoder that attends from coarse to
fine, a decoder, and a spectrally normalised critic with three views of an image; relativistic least
squares over scales; cycles; and two terms that preserve structure: edges of an image must stay edges in
its translation, and attention must select the same things in both spectra. Deviations:
- thermal edges come from a stand-in for their contour detector (`loading/edge_maps.py`);
- gradients repeat the border, while theirs see black beyond it, so that the border of every image is
  the strongest edge of the outer patches (`black_border: true` restores theirs);
- every image of a batch has a patch of its own for the edge term (theirs share one);
- terms that begin late do so after a share of the images (`late_share`: 0.125 is their run on FLIR,
  0.25 the one on KAIST); the learning rate falls image by image (theirs falls epoch by epoch, to
  1/40 of its start on FLIR, 1/60 on KAIST);
- spectral norms start after fifteen power iterations, as torch's do (theirs after one).
Three terms of theirs that have weight 0 (identity, latent, forward) are left out. They trained with
thermal images by night and visible ones by day; here both come from the same training split.
"""

from collections.abc import Iterator, Mapping, Sequence
from math import gcd
from typing import NamedTuple

import torch
from jaxtyping import Float
from pydantic import Field, NonNegativeInt, PositiveFloat
from torch import Tensor, nn
from torch.nn import functional as F

from thermochroma.base.tensors import Image, Visible
from thermochroma.contract.batch import Edged, Still
from thermochroma.contract.method import (
    Direction,
    Game,
    Method,
    Pairing,
    Progress,
    Translator,
    Turn,
)
from thermochroma.contract.settings import EdgeSettings, Settings, Strict
from thermochroma.losses.edges import grey_slopes, lost_edges
from thermochroma.losses.structure import dissimilarity
from thermochroma.networks.blocks import init_normal, instance_norm, scaled, spread_channels
from thermochroma.networks.image_pool import ImagePool
from thermochroma.networks.resizing import bilinear
from thermochroma.networks.views_critic import ViewsCritic

BASE = 64
CHANNELS = 3
ENCODER_BLOCKS, DECODER_BLOCKS = 4, 5
STRIDES = (2, 4, 8, 16)  # of the pools of attention, from fine to coarse
GROUPS = 32
SSIM_WINDOW = 3
FAINT = 1e-6

FeatureMaps = Float[Tensor, "b k y x"]
Maps = Float[Tensor, "b 4 y x"]
"""Attention maps from the coarsest to the finest, in (0, 1)."""


class Residual(nn.Module):
    """Residual block: two 3x3 convolutions with instance norm, PReLU between, reflection-padded."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.ReflectionPad2d(1),
            nn.Conv2d(channels, channels, 3),
            instance_norm(channels),
            nn.PReLU(),
            nn.ReflectionPad2d(1),
            nn.Conv2d(channels, channels, 3),
            instance_norm(channels),
        )

    def forward(self, x: FeatureMaps) -> FeatureMaps:
        return x + self.body(x)


class TopDownAttention(nn.Module):
    """Attention on four quarters of the channels, each at its own scale; coarse maps guide finer ones.

    Each map is the sigmoid of logits normalised over the map, so its values lie around one half.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        quarter = channels // len(STRIDES)
        self.mix = nn.Sequential(
            nn.Conv2d(channels, channels, 1), instance_norm(channels), nn.PReLU()
        )
        self.heads = nn.ModuleList(
            nn.Sequential(
                nn.ReflectionPad2d(1), nn.Conv2d(quarter, 1, 3), instance_norm(1), nn.Sigmoid()
            )
            for _ in STRIDES
        )

    def forward(self, x: FeatureMaps) -> tuple[FeatureMaps, Maps]:
        quarters = self.mix(x).chunk(len(STRIDES), dim=1)
        pooled = [
            F.avg_pool2d(one, 3, stride) for one, stride in zip(quarters, STRIDES, strict=True)
        ]
        maps: list[Tensor] = []
        for look, head in zip(reversed(pooled), self.heads, strict=True):
            guided = look if not maps else look + look * _resized(maps[-1], look)
            maps.append(head(guided))
        full = torch.cat([_resized(one, x) for one in maps], dim=1)
        # the coarsest map attends to the last quarter
        attended = [full[:, -1 - n : full.shape[1] - n] * one for n, one in enumerate(quarters)]
        return torch.cat(attended, dim=1) + x, full


class Code(NamedTuple):
    """Features and attention maps of an image, from an encoder."""

    features: FeatureMaps
    maps: Maps


class Encoder(nn.Module):
    """Stem, two halvings, attention, four residual blocks. Sides are multiples of 4, at least 76."""

    def __init__(self, base: int) -> None:
        super().__init__()
        self.down = nn.Sequential(
            nn.ReflectionPad2d(3),
            *_layer(nn.Conv2d(CHANNELS, base, 7), instance_norm(base)),
            *_layer(nn.Conv2d(base, 2 * base, 3, 2, 1), instance_norm(2 * base)),
            *_layer(nn.Conv2d(2 * base, 4 * base, 3, 2, 1), instance_norm(4 * base)),
        )
        self.attention = TopDownAttention(4 * base)
        self.blocks = nn.Sequential(*(Residual(4 * base) for _ in range(ENCODER_BLOCKS)))
        init_normal(self)

    def forward(self, image: Image) -> Code:
        attended, maps = self.attention(self.down(image))
        return Code(self.blocks(attended), maps)


class Decoder(nn.Module):
    """Attention, five residual blocks, two doublings with group norm, head; tanh. No skips."""

    def __init__(self, base: int, groups: int) -> None:
        super().__init__()
        self.attention = TopDownAttention(4 * base)
        self.blocks = nn.Sequential(*(Residual(4 * base) for _ in range(DECODER_BLOCKS)))
        self.up = nn.Sequential(
            *_layer(nn.ConvTranspose2d(4 * base, 2 * base, 4, 2, 1), _groups(2 * base, groups)),
            *_layer(nn.ConvTranspose2d(2 * base, base, 4, 2, 1), _groups(base, groups)),
            nn.ReflectionPad2d(3),
            nn.Conv2d(base, CHANNELS, 7),
            nn.Tanh(),
        )
        init_normal(self)

    def forward(self, features: FeatureMaps) -> Image:
        attended, _ = self.attention(features)
        return self.up(self.blocks(attended))


class PearlTranslator(Translator[Still]):
    """The thermal encoder and the visible decoder. Sides are multiples of 4, at least 76."""

    def __init__(self, *, scale: float) -> None:
        super().__init__()
        base = scaled(BASE, scale)
        self.encoder, self.decoder = Encoder(base), Decoder(base, scaled(GROUPS, scale))

    def forward(self, seen: Still) -> Image:
        return self.decoder(self.encoder(spread_channels(seen.thermal, CHANNELS)).features)


class PearlGame(Game[Edged]):
    """Game of both translators in one turn, then both critics; true images pass the critics once."""

    def __init__(
        self,
        *,
        translator: PearlTranslator,
        scale: float,
        frozen: object,
        history: int,
        late_share: float,
        edge_strength: float,
        black_border: bool,
    ) -> None:
        super().__init__()
        base = scaled(BASE, scale)
        self.translator = translator
        self.way_back = nn.ModuleDict(
            {"encoder": Encoder(base), "decoder": Decoder(base, scaled(GROUPS, scale))}
        )
        self.critics = nn.ModuleDict({name: ViewsCritic(base) for name in SPECTRA})
        self.pools = nn.ModuleDict({name: ImagePool(history) for name in SPECTRA})
        self.late_share, self.edge_strength = late_share, edge_strength
        self.black_border = black_border

    def players(self) -> Mapping[str, nn.Module]:
        return {
            "translators": nn.ModuleList([self.translator, self.way_back]),
            "critics": self.critics,
        }

    def encode(self, spectrum: str, image: Image) -> Code:
        """Encode an image by the encoder of its own spectrum."""
        encoder = self.translator.encoder if spectrum == "thermal" else self.way_back["encoder"]
        code: Code = encoder(image)
        return code

    def decode(self, spectrum: str, code: Code) -> Image:
        """Decode into an image of `spectrum`."""
        decoder = self.translator.decoder if spectrum == "visible" else self.way_back["decoder"]
        image: Image = decoder(code.features)
        return image

    def turns(self, batch: Edged, progress: Progress) -> Iterator[Turn]:
        true = {"visible": batch.visible, "thermal": spread_channels(batch.thermal, CHANNELS)}
        edges = {"visible": batch.visible_edges, "thermal": batch.thermal_edges}
        on_true = {name: self.critics[name](true[name]) for name in SPECTRA}
        codes = {name: self.encode(name, true[name]) for name in SPECTRA}
        fakes = {name: self.decode(name, codes[OTHER[name]]) for name in SPECTRA}
        fake_codes = {name: self.encode(name, fakes[name]) for name in SPECTRA}
        terms: dict[str, Tensor] = {}
        for name in SPECTRA:
            back = self.decode(name, fake_codes[OTHER[name]])
            scored = self.critics[name](fakes[name])
            terms |= {
                f"adversarial_{name}": relative(_constant(on_true[name]), scored, margin=1.0),
                f"cycle_{name}": F.smooth_l1_loss(back, true[name], reduction="none")
                .flatten(1)
                .mean(1),
                f"edges_{name}": self.lost_edges(edges[OTHER[name]], fakes[name]),
                f"tv_{name}": squared_variation(fakes[name]),
                f"attention_{name}": attention_spread(codes[name].maps),
            }
            if progress.has_reached(self.late_share):
                terms |= {
                    f"ssim_{name}": dissimilarity(back, true[name], window=SSIM_WINDOW),
                    f"agreement_{name}": agreement(
                        codes[name], fake_codes[name].features, codes[OTHER[name]].maps
                    ),
                }
        yield Turn("translators", terms)
        shown = {name: self.pools[name](fakes[name]) for name in SPECTRA}
        yield Turn(
            "critics",
            {
                f"{name}_critic": relative(
                    on_true[name], self.critics[name](shown[name]), margin=-1.0
                )
                for name in SPECTRA
            },
        )

    def lost_edges(self, edges: Float[Tensor, "b 1 h w"], fake: Visible) -> Float[Tensor, " b"]:
        """Structured gradient alignment, in one patch of each image."""
        slopes = grey_slopes(fake, black_border=self.black_border)
        return lost_edges(edges[:, 0], slopes, strength=self.edge_strength)


def relative(
    real: Sequence[Sequence[Tensor]], fake: Sequence[Sequence[Tensor]], *, margin: float
) -> Float[Tensor, " b"]:
    """Relativistic least squares: mean over views of the weighted squares of real - fake + margin.

    The weights of the scales are 1, 2, ... and one more for the last, over their number and their sum.
    """
    per_view = []
    for reals, fakes in zip(real, fake, strict=True):
        factors = [*range(1, len(reals)), len(reals) + 1]
        squares = [
            factor * (one - other + margin).square().flatten(1).mean(1)
            for factor, one, other in zip(factors, reals, fakes, strict=True)
        ]
        per_view.append(torch.stack(squares).sum(0) / (len(factors) * sum(factors)))
    return torch.stack(per_view).mean(0)


def squared_variation(image: Image) -> Float[Tensor, " b"]:
    """Twice the mean squared difference of neighbours, down plus across."""
    down = (image[..., 1:, :] - image[..., :-1, :]).square().flatten(1).mean(1)
    across = (image[..., 1:] - image[..., :-1]).square().flatten(1).mean(1)
    return 2 * (down + across)


def attention_spread(maps: Maps) -> Float[Tensor, " b"]:
    """Penalty of attention: half the sum of terms by which each place has one of the three finer maps.

    The first term, 0.25 times the mean square, asks that the maps sum to 1 at each place; the second,
    1 minus the mean of the greatest, that one of them covers it.
    """
    fine = maps[:, 1:].flatten(2)
    sharing = (0.25 * (fine.sum(1) - 1).square()).mean(1)
    return 0.5 * (sharing + 1 - fine.amax(1).mean(1))


def agreement(real: Code, fake: FeatureMaps, fake_maps: Maps) -> Float[Tensor, " b"]:
    """Disagreement between the things that attention selects in true and fake images of one spectrum.

    real: a true image's code. fake: features of a fake image, by the same encoder. fake_maps: maps of
    the image from which the fake was translated. Features are constants: gradients reach maps only.
    """
    one, other = real.maps[:, 1:].flatten(2), fake_maps[:, 1:].flatten(2)
    mine, yours = _attended(real.features, one), _attended(fake, other)
    likeness = mine @ yours.transpose(1, 2)
    missed = likeness.amax(2) - likeness.diagonal(dim1=1, dim2=2)
    weight = torch.minimum(one.amax(2), other.amax(2))
    wrong = (weight * missed).sum(1) / (weight.sum(1) + FAINT)
    return wrong + 0.25 * (_overlap(mine) + _overlap(yours))


def _attended(features: FeatureMaps, maps: Float[Tensor, "b m n"]) -> Float[Tensor, "b m k"]:
    flat = features.detach().flatten(2)
    means = maps @ flat.transpose(1, 2) / maps.sum(2, keepdim=True)
    return F.normalize(means, dim=-1)


def _overlap(vectors: Float[Tensor, "b m k"]) -> Float[Tensor, " b"]:
    products = vectors @ vectors.transpose(1, 2)
    apart = products - torch.diag_embed(products.diagonal(dim1=1, dim2=2))
    return apart.flatten(1).mean(1).relu()


def _constant(logits: Sequence[Sequence[Tensor]]) -> list[list[Tensor]]:
    return [[one.detach() for one in view] for view in logits]


def _resized(one: Tensor, like: Tensor) -> Tensor:
    return bilinear(one, (like.shape[-2], like.shape[-1]))


def _layer(convolution: nn.Module, norm: nn.Module) -> list[nn.Module]:
    return [convolution, norm, nn.PReLU()]


def _groups(channels: int, groups: int) -> nn.GroupNorm:
    """Group norm; in a network that is scaled down, the number of groups divides the channels."""
    return nn.GroupNorm(gcd(channels, groups), channels)


OTHER = {"visible": "thermal", "thermal": "visible"}
SPECTRA = tuple(OTHER)


class TranslatorSettings(Strict):
    pass


class GameSettings(Strict):
    history: NonNegativeInt
    late_share: float = Field(ge=0, lt=1)
    edge_strength: PositiveFloat
    black_border: bool


class Weights(Strict):
    adversarial_visible: float
    adversarial_thermal: float
    cycle_visible: float
    cycle_thermal: float
    ssim_visible: float
    ssim_thermal: float
    edges_visible: float
    edges_thermal: float
    tv_visible: float
    tv_thermal: float
    attention_visible: float
    attention_thermal: float
    agreement_visible: float
    agreement_thermal: float
    visible_critic: float
    thermal_critic: float


class PearlGanSettings(Settings):
    translator: TranslatorSettings
    game: GameSettings
    weights: Weights
    edges: EdgeSettings


METHOD = Method(
    title="PearlGAN",
    paper="Luo et al., Thermal Infrared Image Colorization for Nighttime Driving Scenes With Top-Down "
    "Guided Attention, IEEE T-ITS 2022",
    licence="original code BSD-2-Clause; none of it is used",
    direction=Direction.THERMAL_TO_VISIBLE,
    settings=PearlGanSettings,
    sees=Still,
    trains_on=Edged,
    pairing=Pairing.UNALIGNED,
    sides_multiple_of=4,
    least_side=76,
    published_parameters={
        # An encoder and a decoder for each spectrum; a critic with three views for each.
        "pearlgan": {
            "translators": 2 * (5_167_244 + 6_634_255),
            "critics": 2 * 16_698_201,
        }
    },
    translator=PearlTranslator,
    game=PearlGame,
    channels_first_on_processor=True,
)
