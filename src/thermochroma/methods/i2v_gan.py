"""I2V-GAN: Li et al., "I2V-GAN: Unpaired Infrared-to-Visible Video Translation", ACM MM 2021.

Rebuilt from facts of the authors' PyTorch code: two residual translators with six blocks; for each
spectrum a U-Net that forecasts the third of three frames; two patch critics, least squares; distances of
pixels, VGG-19 features and Gram matrices, summed; and two terms on patches of the translator's own
features: external (an output frame is like its thermal one, place by place) and internal (likeness
between neighbouring frames changes in the output video as it does in the thermal one). Deviations:
- the learning rate never reaches 0; windows may be mirrored, all three frames alike;
- places are drawn and compared for each image by itself; with batches of 1 theirs does so too;
- features are taken from the pass that translates a frame: 8 passes of an encoder instead of 24, with the
  same gradients. Names of taps describe their content: one of theirs is a norm's output that the in-place
  ReLU after it has overwritten, and one is no residual block but the first doubling;
- doubling is bilinear: equal to their fixed filter to 5e-7.
`taught_heads: false` keeps the patch heads at their random initial weights, as the released code does by
clearing their gradients too early; `true` trains them with the translators.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int64
from pydantic import NonNegativeInt, PositiveFloat, PositiveInt
from torch import Tensor, cat, nn
from torch.nn import functional as F

from thermochroma.base.tensors import Image
from thermochroma.contract.batch import Still, Triplets
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
from thermochroma.losses.adversarial import squares_fake, squares_real
from thermochroma.losses.contrastive import patch_nce
from thermochroma.losses.pixel import absolute
from thermochroma.losses.style import style_distance
from thermochroma.networks.blocks import init_normal, instance_norm, scaled, spread_channels
from thermochroma.networks.frozen import FrozenNetworks
from thermochroma.networks.image_pool import ImagePool
from thermochroma.networks.patch_heads import PatchHeads, draw_places
from thermochroma.networks.patchgan import PatchCritic
from thermochroma.networks.resnet import ResidualBlock, halving, head, stem
from thermochroma.networks.unet import UNet

BASE = 64
CHANNELS = 3
BLOCKS = 6
TAPPED_BLOCK = 3
FORECASTER_HALVINGS = 7
HEAD_WIDTH = 256
VGG_TAPS = (1, 6, 11, 20, 29)  # VGG-19: relu1_1, relu2_1, relu3_1, relu4_1, relu5_1
CONTENT_TAP = 3  # of these: relu4_1
STYLE_FACTORS = (1 / 32, 1 / 16, 1 / 8, 1.0, 1.0)
STYLE = 100.0

Maps = list[Float[Tensor, "b _ _ _"]]
PatchPositions = Sequence[Int64[Tensor, " _"]]


class TappedResNet(nn.Module):
    """Stem, two halvings, six residual blocks, two bilinear doublings, head; tanh.

    Input sides are multiples of 4. The first half is also used as an encoder.
    """

    def __init__(self, base: int) -> None:
        super().__init__()
        pad, *rest = stem(CHANNELS, base)
        self.pad, self.stem = pad, nn.Sequential(*rest)
        first, *rest = halving(base, 2 * base)
        self.first, self.after_first = first, nn.Sequential(*rest)
        self.second = nn.Sequential(*halving(2 * base, 4 * base))
        self.blocks = nn.ModuleList(ResidualBlock(4 * base) for _ in range(BLOCKS))
        self.up = nn.Sequential(
            *_widened(4 * base, 2 * base),
            nn.Upsample(scale_factor=2, mode="bilinear"),
            *_widened(2 * base, base),
        )
        self.head = nn.Sequential(*head(base, CHANNELS))
        init_normal(self)

    def encode(self, image: Image) -> Maps:
        """Padded input, first halving before its norm, second halving, third block, doubled sixth."""
        padded = self.pad(image)
        halved = self.first(self.stem(padded))
        x = self.second(self.after_first(halved))
        maps = [padded, halved, x]
        for number, block in enumerate(self.blocks, start=1):
            x = block(x)
            if number == TAPPED_BLOCK:
                maps.append(x)
        return [*maps, F.interpolate(x, scale_factor=2, mode="bilinear")]

    def decode(self, doubled: Float[Tensor, "b k y x"]) -> Image:
        """Turn the last map of `encode` into an image in [-1, 1]."""
        return self.head(self.up(doubled))

    def forward(self, image: Image) -> Image:
        return self.decode(self.encode(image)[-1])


class I2vTranslator(Translator[Still]):
    """Thermal to visible, frame by frame, without forecasters and heads. Sides are multiples of 4."""

    def __init__(self, *, scale: float) -> None:
        super().__init__()
        self.resnet = TappedResNet(scaled(BASE, scale))

    def forward(self, seen: Still) -> Image:
        return self.resnet(spread_channels(seen.thermal, CHANNELS))


@dataclass(frozen=True)
class Journey:
    """Three frames of one spectrum, and their translations into the other.

    true: the frames. fakes: the first two translated, the third forecast from those. back: the three
    fakes, translated back. expected: the third frame, forecast from the true first two. known, found: the
    encoder's maps of the three true frames, without gradients, and of the three fakes.
    """

    true: list[Image]
    fakes: list[Image]
    back: list[Image]
    expected: Image
    known: list[Maps]
    found: list[Maps]


class I2vGame(Game[Triplets]):
    """Game of translators, forecasters (and heads, if trained) in one turn, then both critics."""

    def __init__(
        self,
        *,
        translator: I2vTranslator,
        scale: float,
        frozen: FrozenNetworks,
        history: int,
        taught_heads: bool,
        nce_places: int,
        nce_temperature: float,
    ) -> None:
        super().__init__()
        base = scaled(BASE, scale)
        self.to_visible, self.to_thermal = translator, TappedResNet(base)
        self.forecasters = nn.ModuleDict({name: _forecaster(base) for name in SPECTRA})
        self.critics = nn.ModuleDict({name: _critic(base) for name in SPECTRA})
        self.pools = nn.ModuleDict({name: ImagePool(history) for name in SPECTRA})
        widths = (CHANNELS, 2 * base, 4 * base, 4 * base, 4 * base)
        width = scaled(HEAD_WIDTH, scale)
        self.heads = nn.ModuleDict({name: PatchHeads(widths, width=width) for name in SPECTRA})
        self.heads.requires_grad_(taught_heads)
        self.taught_heads = taught_heads
        self.places, self.temperature = nce_places, nce_temperature
        self.features = frozen.vgg19(taps=VGG_TAPS, imagenet_norm=False)

    def players(self) -> Mapping[str, nn.Module]:
        learners = [self.to_visible, self.to_thermal, self.forecasters]
        if self.taught_heads:
            learners.append(self.heads)
        return {"translators": nn.ModuleList(learners), "critics": self.critics}

    def turns(self, batch: Triplets, progress: Progress) -> Iterator[Turn]:
        thermal = [spread_channels(frame, CHANNELS) for frame in batch.thermal.unbind(1)]
        visible = list(batch.visible.unbind(1))
        journeys = {
            "visible": self.travel(thermal, "thermal", "visible"),
            "thermal": self.travel(visible, "visible", "thermal"),
        }
        terms: dict[str, Tensor] = {}
        for abroad, journey in journeys.items():
            terms |= self.translator_terms(abroad, journey)
        yield Turn("translators", terms)
        yield Turn("critics", self.critic_terms(journeys))

    def into(self, spectrum: str) -> TappedResNet:
        """Translator into this spectrum."""
        return self.to_visible.resnet if spectrum == "visible" else self.to_thermal

    def travel(self, frames: list[Image], home: str, abroad: str) -> Journey:
        """Translate two frames, forecast the third in the other spectrum, translate back, keep features."""
        predictor = self.into(abroad)
        maps = predictor.encode(cat(frames[:2]))
        first, second = predictor.decode(maps[-1]).chunk(2)
        third = self.forecasters[abroad](cat([first, second], dim=1))
        fakes = [first, second, third]
        with torch.no_grad():
            last = predictor.encode(frames[2])
        before = [[one.detach() for one in some] for some in _split(maps, 2)]
        return Journey(
            true=frames,
            fakes=fakes,
            back=list(self.into(home)(cat(fakes)).chunk(3)),
            expected=self.forecasters[home](cat(frames[:2], dim=1)),
            known=[*before, last],
            found=_split(predictor.encode(cat(fakes)), 3),
        )

    def translator_terms(self, abroad: str, journey: Journey) -> Mapping[str, Tensor]:
        """Collect all terms of one direction."""
        return {
            **self.plain_terms(abroad, journey),
            f"external_{abroad}": self.external(abroad, journey),
            f"internal_{abroad}": self.internal(abroad, journey),
        }

    def plain_terms(self, abroad: str, journey: Journey) -> Mapping[str, Tensor]:
        """Terms that use images and not the encoder's features."""
        home, true = OTHER[abroad], journey.true
        recycled = self.composite([*journey.back, journey.expected], [*true, true[2]])
        same = self.into(home)(cat(true[:2])).chunk(2)
        scored = self.critics[abroad](cat(journey.fakes)).chunk(3)
        return {
            f"adversarial_{abroad}": _sum([squares_real(one) for one in scored]),
            f"cycle_{home}": recycled[0] + recycled[1],
            f"recycle_{home}": recycled[2],
            f"forecast_{home}": recycled[3],
            f"identity_{home}": _sum([absolute(*pair) for pair in zip(same, true, strict=False)]),
        }

    def composite(self, output: list[Image], true: list[Image]) -> list[Float[Tensor, " b"]]:
        """Distance in pixels, content and style of each pair; VGG sees each distinct true frame once."""
        distinct = list({id(one): one for one in true}.values())
        with torch.no_grad():
            wanted = _split(list(self.features(cat(distinct))), len(distinct))
        by_frame = {id(one): maps for one, maps in zip(distinct, wanted, strict=True)}
        got = _split(list(self.features(cat(output))), len(output))
        return [
            absolute(one, other)
            + absolute(maps[CONTENT_TAP], by_frame[id(other)][CONTENT_TAP])
            + STYLE * style_distance(maps, by_frame[id(other)], factors=STYLE_FACTORS)
            for one, other, maps in zip(output, true, got, strict=True)
        ]

    def external(self, abroad: str, journey: Journey) -> Float[Tensor, " b"]:
        """Contrastive term of each output frame and its true one; new places for each of the three."""
        return _sum(
            [
                torch.stack(self.contrasts(abroad, found, known, self.draw(known))).mean(0)
                for found, known in zip(journey.found, journey.known, strict=True)
            ]
        )

    def internal(self, abroad: str, journey: Journey) -> Float[Tensor, " b"]:
        """Distance of the changes of likeness in the fake and in the true video: 1 - cosine over taps.

        All six frames use the same places; the true video's changes are constants.
        """
        places = self.draw(journey.known[0])
        with torch.no_grad():
            wanted = self.changes(abroad, journey.known, places)
        return 1 - F.cosine_similarity(self.changes(abroad, journey.found, places), wanted)

    def changes(
        self, abroad: str, video: list[Maps], places: PatchPositions
    ) -> Float[Tensor, "b taps"]:
        """Contrastive term of frames 2 and 3 over that of frames 1 and 2, at each tap."""
        later = self.contrasts(abroad, video[1], video[2], places)
        earlier = self.contrasts(abroad, video[0], video[1], places)
        return torch.stack([one / other for one, other in zip(later, earlier, strict=True)], dim=1)

    def contrasts(
        self, abroad: str, queries: Maps, keys: Maps, places: PatchPositions
    ) -> list[Float[Tensor, " b"]]:
        """Contrastive term at each tap."""
        heads = self.heads[abroad]
        pairs = zip(heads(queries, places), heads(keys, places), strict=True)
        return [patch_nce(*pair, temperature=self.temperature) for pair in pairs]

    def draw(self, maps: Maps) -> PatchPositions:
        return draw_places(maps, self.places)

    def critic_terms(self, journeys: Mapping[str, Journey]) -> Mapping[str, Tensor]:
        """Sums over four pairs: three frames with their fakes, the third also with its forecast."""
        terms = {}
        for spectrum, journey in journeys.items():
            other, critic = journeys[OTHER[spectrum]], self.critics[spectrum]
            fakes = [*journey.fakes, other.expected]
            shown = self.pools[spectrum](cat(fakes)).chunk(4)
            on_true = [squares_real(one) for one in critic(cat(other.true)).chunk(3)]
            on_fake = [squares_fake(one) for one in critic(cat(shown)).chunk(4)]
            terms[f"{spectrum}_real"] = _sum([*on_true, on_true[2]])
            terms[f"{spectrum}_fake"] = _sum(on_fake)
        return terms


def _split(maps: Maps, count: int) -> list[list[Tensor]]:
    """Maps of several frames that passed as one batch, frame by frame."""
    return [list(some) for some in zip(*(one.chunk(count) for one in maps), strict=True)]


def _sum(values: Sequence[Float[Tensor, " b"]]) -> Float[Tensor, " b"]:
    return torch.stack(list(values)).sum(0)


def _widened(wide: int, narrow: int) -> list[nn.Module]:
    """Layers after a doubling: convolution 3x3, instance norm, ReLU."""
    return [nn.Conv2d(wide, narrow, 3, 1, 1), instance_norm(narrow), nn.ReLU()]


def _forecaster(base: int) -> UNet:
    forecaster = UNet(
        in_channels=2 * CHANNELS,
        out_channels=CHANNELS,
        downs=FORECASTER_HALVINGS,
        base=base,
        norm=instance_norm,
        biased=True,
        dropout=0.0,
    )
    init_normal(forecaster)
    return forecaster


def _critic(base: int) -> PatchCritic:
    critic = PatchCritic(in_channels=CHANNELS, base=base, norm=instance_norm, biased=True)
    init_normal(critic)
    return critic


OTHER = {"visible": "thermal", "thermal": "visible"}
SPECTRA = tuple(OTHER)


class TranslatorSettings(Strict):
    pass


class GameSettings(Strict):
    history: NonNegativeInt
    taught_heads: bool
    nce_places: PositiveInt
    nce_temperature: PositiveFloat


class Weights(Strict):
    adversarial_visible: float
    adversarial_thermal: float
    cycle_thermal: float
    cycle_visible: float
    recycle_thermal: float
    recycle_visible: float
    forecast_thermal: float
    forecast_visible: float
    identity_thermal: float
    identity_visible: float
    external_visible: float
    external_thermal: float
    internal_visible: float
    internal_thermal: float
    visible_real: float
    visible_fake: float
    thermal_real: float
    thermal_fake: float


class I2vGanSettings(Settings):
    translator: TranslatorSettings
    game: GameSettings
    weights: Weights


def _window_multiple(settings: I2vGanSettings) -> int:
    return 2**FORECASTER_HALVINGS


METHOD = Method(
    title="I2V-GAN",
    paper="Li et al., I2V-GAN: Unpaired Infrared-to-Visible Video Translation, ACM MM 2021",
    licence="original code MIT; none of it is used",
    direction=Direction.THERMAL_TO_VISIBLE,
    settings=I2vGanSettings,
    sees=Still,
    trains_on=Triplets,
    pairing=Pairing.UNALIGNED,
    sides_multiple_of=4,
    least_side=8,
    taught_sides=_window_multiple,
    published_parameters={
        # Two translators and two forecasters; two critics. The heads (2 x 560,384) do not learn.
        "i2v_gan": {
            "translators": 2 * 7_837_699 + 2 * 41_828_739,
            "critics": 2 * 2_764_737,
        }
    },
    translator=I2vTranslator,
    game=I2vGame,
    channels_first_on_processor=True,
)
