"""ThermalMask-R, a reconstruction: after Li et al., "ThermalMask", IEEE TGRS, 2025. Visible to thermal.

No code is public and only the abstract was available. It names the parts: masks of background and
foreground that keep the background and the most prominent features of the input (SMGN), attention maps
by pyramid non-local attention that reach visible and infrared feature maps (SAGN), a pixel-spectrum
multi-spatial constraint on high frequencies (PSC), and weak supervision. The inside of the parts is our
design: masks composed as in AttentionGAN, in two groups, the foreground's trained with frequency-tuned
saliency; attention over pooled keys, which also guides the decoders; cycles without pairs. The layout
term is ours entirely: cycles reward copies of brightness, and critics with instance norms do not see the
level, so the distribution of the layouts of thermal images decides what is bright and what is dark. The
counts below are those of this file, and no score of the paper may be compared with ours.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

import torch
from jaxtyping import Float
from pydantic import Field, NonNegativeInt, PositiveInt
from torch import Tensor, nn
from torch.nn import functional as F

from thermochroma.base import whole_batch
from thermochroma.base.colour_space import LUMA
from thermochroma.base.tensors import Image, Thermal, Visible, constant
from thermochroma.contract.batch import Batch, VisibleStill
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
from thermochroma.losses.frequency import high_passed, radial_profile, spectral_distance
from thermochroma.losses.layout import Layouts
from thermochroma.losses.pixel import absolute
from thermochroma.losses.saliency import saliency
from thermochroma.networks.blocks import init_normal, instance_norm, scaled
from thermochroma.networks.image_pool import ImagePool
from thermochroma.networks.patchgan import PatchCritic
from thermochroma.networks.resizing import bilinear
from thermochroma.networks.resnet import ResidualBlock, doubling, halving, head, stem

BASE = 64
BLOCKS_BEFORE, BLOCKS_AFTER = 4, 5  # residual blocks before and after the attention
MASK_BLOCKS = 3
GRIDS = (1, 3, 6, 8)  # sides of the pools whose cells are the keys
PROFILE_MOMENTUM = 0.99

Translation = Float[Tensor, "b o h w"]
"""Output of a translator, in [-1, 1]."""
FeatureMaps = Float[Tensor, "b k y x"]
Attention = Float[Tensor, "b 1 v u"]
"""Importance of each place, 0 to 1; of another size than the features that it guides."""
Share = Float[Tensor, "b 1 h w"]
"""Share of a mask at each pixel, 0 to 1."""


class Attended(NamedTuple):
    """Features, and the importance of each of their places."""

    features: FeatureMaps
    attention: Attention


class PyramidAttention(nn.Module):
    """Residual attention of the places of x over the cells of a pyramid of pools; gamma starts at 0.

    The attention map is computed from the same result: the importance of each place.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        narrow = channels // 2
        self.query = nn.Conv2d(channels, narrow, 1)
        self.key = nn.Conv2d(channels, narrow, 1)
        self.value = nn.Conv2d(channels, narrow, 1)
        self.join = nn.Conv2d(narrow, channels, 1)
        self.map = nn.Conv2d(narrow, 1, 1)
        self.gamma = nn.Parameter(torch.zeros(()))

    def forward(self, x: FeatureMaps) -> Attended:
        cells = [F.adaptive_avg_pool2d(x, side).flatten(2) for side in GRIDS]
        pooled = torch.cat(cells, dim=2)[..., None]
        query = self.query(x).flatten(2).transpose(1, 2)
        key, value = self.key(pooled)[..., 0], self.value(pooled)[..., 0].transpose(1, 2)
        answers = (query @ key / key.shape[1] ** 0.5).softmax(dim=-1)
        found = (answers @ value).transpose(1, 2).unflatten(2, x.shape[-2:])
        return Attended(x + self.gamma * self.join(found), self.map(found).sigmoid())


def guided(x: FeatureMaps, attention: Attention) -> FeatureMaps:
    """Features times 1 + attention: a factor of 1 at places without importance, up to 2."""
    return x * (1 + bilinear(attention, (x.shape[-2], x.shape[-1])))


class AttentionGenerator(nn.Module):
    """SAGN: features of the input, guided by an attention map, and the map."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.before = nn.Sequential(*(ResidualBlock(channels) for _ in range(BLOCKS_BEFORE)))
        self.pyramid = PyramidAttention(channels)

    def forward(self, x: FeatureMaps) -> Attended:
        features, attention = self.pyramid(self.before(x))
        return Attended(guided(features, attention), attention)


class GuidedDecoder(nn.Module):
    """Residual blocks and two doublings; the attention map guides the result of each doubling."""

    def __init__(self, *, blocks: int, base: int, last: Iterable[nn.Module]) -> None:
        super().__init__()
        self.blocks = nn.Sequential(*(ResidualBlock(4 * base) for _ in range(blocks)))
        self.doubled = nn.Sequential(*doubling(4 * base, 2 * base))
        self.redoubled = nn.Sequential(*doubling(2 * base, base))
        self.last = nn.Sequential(*last)

    def forward(self, x: FeatureMaps, attention: Attention) -> Float[Tensor, "b n h w"]:
        doubled = guided(self.doubled(self.blocks(x)), attention)
        return self.last(guided(self.redoubled(doubled), attention))


class Predicted(NamedTuple):
    """Output, and at each pixel the shares of foreground and of copies of the input."""

    image: Translation
    foreground: Share
    kept_background: Share
    kept_foreground: Share


class MaskedTranslator(nn.Module):
    """Translator that sums contents by masks; half of the masks are background, half foreground.

    The last mask of each half keeps the input; each other mask has a content of its own. contents: their
    number in each half. Sides are multiples of 4.
    """

    def __init__(self, in_channels: int, out_channels: int, *, base: int, contents: int) -> None:
        super().__init__()
        wide, fresh = 4 * base, 2 * contents
        self.out_channels = out_channels
        self.encoder = nn.Sequential(
            *stem(in_channels, base), *halving(base, 2 * base), *halving(2 * base, wide)
        )
        self.attention = AttentionGenerator(wide)
        self.contents = GuidedDecoder(
            blocks=BLOCKS_AFTER, base=base, last=head(base, fresh * out_channels)
        )
        last = [nn.Conv2d(base, fresh + 2, 1), nn.Softmax(dim=1)]
        self.masks = GuidedDecoder(blocks=MASK_BLOCKS, base=base, last=last)  # SMGN
        init_normal(self)

    def predict(self, image: Image) -> Predicted:
        """Translate an image, and return the shares of foreground and copies too."""
        features = self.encoder(image)
        attended = self.attention(features)
        contents = self.contents(*attended).unflatten(1, (2, -1, self.out_channels))
        masks = self.masks(features, attended.attention).unflatten(1, (2, -1))
        fresh = (masks[:, :, :-1, None] * contents).sum((1, 2))
        kept = masks[:, :, -1]  # of the background, of the foreground
        return Predicted(
            image=fresh + kept.sum(1, keepdim=True) * self.copied(image),
            foreground=masks[:, 1].sum(1, keepdim=True),
            kept_background=kept[:, :1],
            kept_foreground=kept[:, 1:],
        )

    def copied(self, image: Image) -> Translation:
        """Input with the channels of the output: its luminance, or its one channel repeated."""
        if self.out_channels == 1:
            return luminance(image)
        return image.expand(-1, self.out_channels, -1, -1)

    def forward(self, image: Image) -> Translation:
        return self.predict(image).image


class ThermalMaskTranslator(Translator[VisibleStill]):
    """Translator from visible to thermal. Sides are multiples of 4."""

    def __init__(self, *, scale: float, contents: int) -> None:
        super().__init__()
        self.contents = contents
        self.painter = MaskedTranslator(3, 1, base=scaled(BASE, scale), contents=contents)

    def forward(self, seen: VisibleStill) -> Thermal:
        return self.painter(seen.visible)


class Cycle(NamedTuple):
    """True images, translations and reconstructions of both cycles."""

    visible: Visible
    thermal: Thermal
    to_thermal: Predicted
    to_visible: Predicted
    visible_again: Visible
    thermal_again: Thermal

    @property
    def fake_thermal(self) -> Thermal:
        return self.to_thermal.image

    @property
    def fake_visible(self) -> Visible:
        return self.to_visible.image


class ThermalMaskGame(Game[Batch[VisibleStill]]):
    """Game of both translators in one turn, then both critics."""

    profile_visible: Tensor
    profile_thermal: Tensor

    def __init__(
        self,
        *,
        translator: ThermalMaskTranslator,
        scale: float,
        frozen: object,
        history: int,
        bins: int,
        least_frequency: float,
        layout_side: int,
        layout_memory: int,
        layout_apart: float,
    ) -> None:
        super().__init__()
        base = scaled(BASE, scale)
        self.to_thermal = translator
        self.to_visible = MaskedTranslator(1, 3, base=base, contents=translator.contents)
        self.critics = nn.ModuleDict({"thermal": _critic(1, base), "visible": _critic(3, base)})
        self.pools = nn.ModuleDict({"thermal": ImagePool(history), "visible": ImagePool(history)})
        self.bins, self.least = bins, least_frequency
        for name in ("visible", "thermal"):  # running means over true images; NaN: none yet
            self.register_buffer(f"profile_{name}", torch.full((bins,), torch.nan))
        how = {"side": layout_side, "true": layout_memory, "fakes": history}
        self.layout_visible = Layouts(channels=3, **how, apart=layout_apart)
        self.layout_thermal = Layouts(channels=1, **how, apart=layout_apart)

    def players(self) -> Mapping[str, nn.Module]:
        return {
            "translators": nn.ModuleList([self.to_thermal, self.to_visible]),
            "critics": self.critics,
        }

    def turns(self, batch: Batch[VisibleStill], progress: Progress) -> Iterator[Turn]:
        cycle = self.run_cycle(batch)
        self.remember_profile("visible", cycle.visible)
        self.remember_profile("thermal", cycle.thermal)
        yield Turn("translators", self.translator_terms(cycle))
        self.remember_layouts(cycle)
        yield Turn("critics", self.critic_terms(cycle))

    def run_cycle(self, batch: Batch[VisibleStill]) -> Cycle:
        """Translate both ways and back."""
        visible, thermal = batch.seen.visible, batch.target
        there, back = self.to_thermal.painter.predict(visible), self.to_visible.predict(thermal)
        return Cycle(
            visible=visible,
            thermal=thermal,
            to_thermal=there,
            to_visible=back,
            visible_again=self.to_visible(there.image),
            thermal_again=self.to_thermal.painter(back.image),
        )

    def translator_terms(self, cycle: Cycle) -> Mapping[str, Tensor]:
        """Adversarial, cycle, saliency, high-frequency, profile and layout terms of both directions."""
        pairs = [(cycle.visible_again, cycle.visible), (cycle.thermal_again, cycle.thermal)]
        told = [(cycle.to_thermal, cycle.visible), (cycle.to_visible, cycle.thermal)]
        return {
            "adversarial_thermal": squares_real(self.critics["thermal"](cycle.fake_thermal)),
            "adversarial_visible": squares_real(self.critics["visible"](cycle.fake_visible)),
            "cycle_visible": absolute(cycle.visible_again, cycle.visible),
            "cycle_thermal": absolute(cycle.thermal_again, cycle.thermal),
            "saliency": _sum(absolute(one.foreground, saliency(seen)) for one, seen in told),
            "high_pixels": _sum(absolute(high_passed(one), high_passed(two)) for one, two in pairs),
            "high_spectrum": _sum(spectral_distance(*pair) for pair in pairs),
            "profile": self.profile_gap("thermal", cycle.fake_thermal)
            + self.profile_gap("visible", cycle.fake_visible),
            "layout": self.layout_thermal(cycle.fake_thermal)
            + self.layout_visible(cycle.fake_visible),
        }

    def critic_terms(self, cycle: Cycle) -> Mapping[str, Tensor]:
        """Terms of each critic on true images and on fakes from its pool."""
        thermal, visible = self.critics["thermal"], self.critics["visible"]
        return {
            "thermal_real": squares_real(thermal(cycle.thermal)),
            "thermal_fake": squares_fake(thermal(self.pools["thermal"](cycle.fake_thermal))),
            "visible_real": squares_real(visible(cycle.visible)),
            "visible_fake": squares_fake(visible(self.pools["visible"](cycle.fake_visible))),
        }

    def remember_layouts(self, cycle: Cycle) -> None:
        """Keep the layouts of true and fake images, for later batches."""
        self.layout_visible.remember(true=cycle.visible, fake=cycle.fake_visible)
        self.layout_thermal.remember(true=cycle.thermal, fake=cycle.fake_thermal)

    @torch.no_grad()
    def remember_profile(self, spectrum: str, true: Image) -> None:
        """Move the running mean of the true images' profiles."""
        running = self.get_buffer(f"profile_{spectrum}")
        now = whole_batch.mean(self.profile_of(true))
        moved = PROFILE_MOMENTUM * running + (1 - PROFILE_MOMENTUM) * now
        running.copy_(torch.where(running.isnan(), now, moved))

    def profile_of(self, image: Image) -> Float[Tensor, "b bins"]:
        """Strength of each band of high frequencies, on a logarithmic scale."""
        return radial_profile(image, bins=self.bins, least=self.least)

    def profile_gap(self, spectrum: str, fake: Image) -> Float[Tensor, " b"]:
        """Gap between the batch's mean profile and the true images' running mean; equal in a batch."""
        wanted = self.get_buffer(f"profile_{spectrum}").clone()
        gap = (whole_batch.mean(self.profile_of(fake)) - wanted).abs().mean()
        return gap.expand(len(fake))


def luminance(visible: Visible) -> Thermal:
    """Luminance in [-1, 1]: the weighted mean of red, green and blue."""
    return (visible * constant(LUMA, visible).view(1, 3, 1, 1)).sum(1, keepdim=True)


def _sum(values: Iterator[Float[Tensor, " b"]]) -> Float[Tensor, " b"]:
    return torch.stack(list(values)).sum(0)


def _critic(channels: int, base: int) -> PatchCritic:
    critic = PatchCritic(in_channels=channels, base=base, norm=instance_norm, biased=True)
    init_normal(critic)
    return critic


class TranslatorSettings(Strict):
    contents: PositiveInt


class GameSettings(Strict):
    history: NonNegativeInt
    bins: PositiveInt
    least_frequency: float = Field(ge=0, lt=0.5)
    layout_side: PositiveInt
    layout_memory: PositiveInt
    layout_apart: float = Field(ge=0, le=1)


class Weights(Strict):
    adversarial_thermal: float
    adversarial_visible: float
    cycle_visible: float
    cycle_thermal: float
    saliency: float
    high_pixels: float
    high_spectrum: float
    profile: float
    layout: float
    thermal_real: float
    thermal_fake: float
    visible_real: float
    visible_fake: float


class ThermalMaskSettings(Settings):
    translator: TranslatorSettings
    game: GameSettings
    weights: Weights


METHOD = Method(
    title="ThermalMask-R (reconstruction)",
    paper="after Li et al., ThermalMask, IEEE Transactions on Geoscience and Remote Sensing, 2025; "
    "reconstructed from its abstract",
    licence="no original code is public; none is used",
    direction=Direction.VISIBLE_TO_THERMAL,
    settings=ThermalMaskSettings,
    sees=VisibleStill,
    pairing=Pairing.UNALIGNED,
    sides_multiple_of=4,
    least_side=8,
    published_parameters={
        # Counted layer by layer (docs/methods/thermal_mask.md), there and back.
        "thermal_mask": {
            "translators": 15_435_668 + 15_479_588,
            "critics": 2_762_689 + 2_764_737,
        }
    },
    counts_are_published=False,
    translator=ThermalMaskTranslator,
    game=ThermalMaskGame,
    channels_first_on_processor=True,
)
