"""ThermalMask-R, a reconstruction: after Li et al., "ThermalMask", IEEE TGRS, 2025. Visible to thermal.

No code is public and only the abstract was at hand. It names the parts: a network of masks (SMGN) that
keep background and foreground of the input, a network of attention (SAGN) with pyramid non-local
attention, a pixel-spectrum multi-spatial constraint (PSC) on high frequencies, and weak supervision.
What the parts are made of is ours: masks and contents composed as in AttentionGAN, attention over pooled
keys, cycles without pairs, and a constraint on high-passed pixels, on Fourier coefficients and on the
radial profile of spectra. So the counts below are those of this file, and no score of the paper may be
compared with ours.
"""

from collections.abc import Iterator, Mapping
from typing import NamedTuple

import torch
from jaxtyping import Float
from pydantic import Field, NonNegativeInt, PositiveInt
from torch import Tensor, nn
from torch.nn import functional as F

from thermochroma.batch import Batch, VisibleStill
from thermochroma.losses.adversarial import squares_fake, squares_real
from thermochroma.losses.frequency import high_passed, radial_profile, spectral_distance
from thermochroma.losses.pixel import absolute
from thermochroma.method import Clock, Direction, Game, Method, Pairing, Translator, Turn
from thermochroma.networks.blocks import init_normal, instance_norm, scaled
from thermochroma.networks.history import History
from thermochroma.networks.patchgan import PatchCritic
from thermochroma.networks.resnet import ResidualBlock, doubling, halving, head, stem
from thermochroma.settings import Settings, Strict
from thermochroma.tensors import Picture, Thermal, Visible

BASE = 64
BLOCKS_BEFORE, BLOCKS_AFTER = 4, 5  # the attention
MASK_BLOCKS = 3
GRIDS = (1, 3, 6, 8)  # sides of the pools whose cells are the keys
LUMA = (0.299, 0.587, 0.114)
PROFILE_MOMENTUM = 0.99

Translation = Float[Tensor, "b o h w"]
"""A picture of the other spectrum."""
Features = Float[Tensor, "b k y x"]


class PyramidAttention(nn.Module):
    """x plus what its places find among cells of a pyramid of pools; nothing at first (gamma is 0)."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        narrow = channels // 2
        self.query = nn.Conv2d(channels, narrow, 1)
        self.key = nn.Conv2d(channels, narrow, 1)
        self.value = nn.Conv2d(channels, narrow, 1)
        self.join = nn.Conv2d(narrow, channels, 1)
        self.gamma = nn.Parameter(torch.zeros(()))

    def forward(self, x: Features) -> Features:
        cells = [F.adaptive_avg_pool2d(x, side).flatten(2) for side in GRIDS]
        pooled = torch.cat(cells, dim=2)[..., None]
        query = self.query(x).flatten(2).transpose(1, 2)
        key, value = self.key(pooled)[..., 0], self.value(pooled)[..., 0].transpose(1, 2)
        answers = (query @ key / key.shape[1] ** 0.5).softmax(dim=-1)
        found = (answers @ value).transpose(1, 2).unflatten(2, x.shape[-2:])
        return x + self.gamma * self.join(found)


class Painted(NamedTuple):
    """A translation, and how much of the input each place keeps (0 to 1)."""

    picture: Translation
    kept: Float[Tensor, "b 1 h w"]


class MaskedPainter(nn.Module):
    """Contents and masks of one encoder; the last mask keeps the input. Sides are multiples of 4."""

    def __init__(self, in_channels: int, out_channels: int, *, base: int, masks: int) -> None:
        super().__init__()
        wide = 4 * base
        self.out_channels = out_channels
        self.encoder = nn.Sequential(
            *stem(in_channels, base), *halving(base, 2 * base), *halving(2 * base, wide)
        )
        self.contents = nn.Sequential(
            *(ResidualBlock(wide) for _ in range(BLOCKS_BEFORE)),
            PyramidAttention(wide),
            *(ResidualBlock(wide) for _ in range(BLOCKS_AFTER)),
            *doubling(wide, 2 * base),
            *doubling(2 * base, base),
            *head(base, (masks - 1) * out_channels),
        )
        self.masks = nn.Sequential(
            *(ResidualBlock(wide) for _ in range(MASK_BLOCKS)),
            *doubling(wide, 2 * base),
            *doubling(2 * base, base),
            nn.Conv2d(base, masks, 1),
            nn.Softmax(dim=1),
        )
        init_normal(self)

    def paint(self, picture: Picture) -> Painted:
        """The translation and the share of each place that is a copy."""
        features = self.encoder(picture)
        contents = self.contents(features).unflatten(1, (-1, self.out_channels))
        masks = self.masks(features)
        fresh = (masks[:, :-1, None] * contents).sum(1)
        kept = masks[:, -1:]
        return Painted(fresh + kept * self.copied(picture), kept)

    def copied(self, picture: Picture) -> Translation:
        """The input in the channels of the output: its luminance, or the one channel repeated."""
        if self.out_channels == 1:
            return luminance(picture)
        return picture.expand(-1, self.out_channels, -1, -1)

    def forward(self, picture: Picture) -> Translation:
        return self.paint(picture).picture


class ThermalMaskTranslator(Translator[VisibleStill]):
    """Visible to thermal."""

    def __init__(self, *, scale: float, masks: int) -> None:
        super().__init__()
        self.masks = masks
        self.painter = MaskedPainter(3, 1, base=scaled(BASE, scale), masks=masks)

    def forward(self, seen: VisibleStill) -> Thermal:
        return self.painter(seen.visible)


class Cycle(NamedTuple):
    """One pass through both translators, from both ends."""

    visible: Visible
    thermal: Thermal
    fake_thermal: Thermal
    fake_visible: Visible
    visible_again: Visible
    thermal_again: Thermal


class ThermalMaskGame(Game[Batch[VisibleStill]]):
    """Both translators in one turn, then both critics."""

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
    ) -> None:
        super().__init__()
        base = scaled(BASE, scale)
        self.to_thermal = translator
        self.to_visible = MaskedPainter(1, 3, base=base, masks=translator.masks)
        self.critics = nn.ModuleDict({"thermal": _critic(1, base), "visible": _critic(3, base)})
        self.histories = nn.ModuleDict({"thermal": History(history), "visible": History(history)})
        self.bins, self.least = bins, least_frequency
        for name in ("visible", "thermal"):  # running means over true pictures; NaN: none yet
            self.register_buffer(f"profile_{name}", torch.full((bins,), torch.nan))

    def players(self) -> Mapping[str, nn.Module]:
        return {
            "translators": nn.ModuleList([self.to_thermal, self.to_visible]),
            "critics": self.critics,
        }

    def turns(self, batch: Batch[VisibleStill], clock: Clock) -> Iterator[Turn]:
        cycle = self.run_cycle(batch)
        self.remember("visible", cycle.visible)
        self.remember("thermal", cycle.thermal)
        yield Turn("translators", self.translator_terms(cycle))
        yield Turn("critics", self.critic_terms(cycle))

    def run_cycle(self, batch: Batch[VisibleStill]) -> Cycle:
        """Translate both ways and back."""
        visible, thermal = batch.seen.visible, batch.target
        fake_thermal, fake_visible = self.to_thermal(batch.seen), self.to_visible(thermal)
        return Cycle(
            visible=visible,
            thermal=thermal,
            fake_thermal=fake_thermal,
            fake_visible=fake_visible,
            visible_again=self.to_visible(fake_thermal),
            thermal_again=self.to_thermal.painter(fake_visible),
        )

    def translator_terms(self, cycle: Cycle) -> Mapping[str, Tensor]:
        """Fool both critics, come back, leave thermal alone, keep and match high frequencies."""
        pairs = [(cycle.visible_again, cycle.visible), (cycle.thermal_again, cycle.thermal)]
        same = self.to_thermal.painter(cycle.thermal.expand(-1, 3, -1, -1))
        return {
            "adversarial_thermal": squares_real(self.critics["thermal"](cycle.fake_thermal)),
            "adversarial_visible": squares_real(self.critics["visible"](cycle.fake_visible)),
            "cycle_visible": absolute(cycle.visible_again, cycle.visible),
            "cycle_thermal": absolute(cycle.thermal_again, cycle.thermal),
            "identity_thermal": absolute(same, cycle.thermal),
            "high_pixels": _sum(absolute(high_passed(one), high_passed(two)) for one, two in pairs),
            "high_spectrum": _sum(spectral_distance(*pair) for pair in pairs),
            "profile": self.profile_gap("thermal", cycle.fake_thermal)
            + self.profile_gap("visible", cycle.fake_visible),
        }

    def critic_terms(self, cycle: Cycle) -> Mapping[str, Tensor]:
        """Each critic on true pictures and on fakes out of its history."""
        thermal, visible = self.critics["thermal"], self.critics["visible"]
        return {
            "thermal_real": squares_real(thermal(cycle.thermal)),
            "thermal_fake": squares_fake(thermal(self.histories["thermal"](cycle.fake_thermal))),
            "visible_real": squares_real(visible(cycle.visible)),
            "visible_fake": squares_fake(visible(self.histories["visible"](cycle.fake_visible))),
        }

    def profile_of(self, picture: Picture) -> Float[Tensor, "b bins"]:
        """How strong each high frequency is, on a logarithmic scale."""
        return radial_profile(picture, bins=self.bins, least=self.least)

    @torch.no_grad()
    def remember(self, spectrum: str, true: Picture) -> None:
        """Move the running mean of the true pictures' profiles."""
        running = self.get_buffer(f"profile_{spectrum}")
        now = self.profile_of(true).mean(0)
        moved = PROFILE_MOMENTUM * running + (1 - PROFILE_MOMENTUM) * now
        running.copy_(torch.where(running.isnan(), now, moved))

    def profile_gap(self, spectrum: str, fake: Picture) -> Float[Tensor, " b"]:
        """Between the batch's mean profile and the true pictures' running mean; alike for the batch."""
        wanted = self.get_buffer(f"profile_{spectrum}").clone()
        gap = (self.profile_of(fake).mean(0) - wanted).abs().mean()
        return gap.expand(len(fake))


def luminance(visible: Visible) -> Thermal:
    """The weighted mean of red, green and blue, in [-1, 1]."""
    return (visible * visible.new_tensor(LUMA).view(1, 3, 1, 1)).sum(1, keepdim=True)


def _sum(values: Iterator[Float[Tensor, " b"]]) -> Float[Tensor, " b"]:
    return torch.stack(list(values)).sum(0)


def _critic(channels: int, base: int) -> PatchCritic:
    critic = PatchCritic(in_channels=channels, base=base, norm=instance_norm, biased=True)
    init_normal(critic)
    return critic


class TranslatorSettings(Strict):
    masks: PositiveInt = Field(ge=2)


class GameSettings(Strict):
    history: NonNegativeInt
    bins: PositiveInt
    least_frequency: float = Field(ge=0, lt=0.5)


class Weights(Strict):
    adversarial_thermal: float
    adversarial_visible: float
    cycle_visible: float
    cycle_thermal: float
    identity_thermal: float
    high_pixels: float
    high_spectrum: float
    profile: float
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
    published_parameters={
        # Not published: counted layer by layer (docs/methods/thermal_mask.md), there and back.
        "thermal_mask": {
            "translators": 15_438_676 + 15_488_870,
            "critics": 2_762_689 + 2_764_737,
        }
    },
    translator=ThermalMaskTranslator,
    game=ThermalMaskGame,
)
