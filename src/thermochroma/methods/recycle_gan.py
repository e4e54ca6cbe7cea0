"""Recycle-GAN: Bansal et al., "Recycle-GAN: Unsupervised Video Retargeting", ECCV 2018.

Rebuilt from facts of the authors' PyTorch code: two residual translators with six blocks, for each
spectrum a U-Net that forecasts the third of three frames from the first two, two patch critics with
instance norm, least squares. What is recycled is a forecast made in the other spectrum. Their second
model, with plain cycles and identities beside it, is `cycles: true` with `forecaster_halvings: 7`.
Deviations: the learning rate never reaches 0; biases start at 0, where their code keeps torch's initial
ones; windows may be mirrored, all three frames alike. As in their code, the critic also sees a forecast
from two true frames as a fake, though no forecaster learns to fool it.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import torch
from jaxtyping import Float
from pydantic import NonNegativeInt, PositiveInt, model_validator
from torch import Tensor, cat, nn

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
from thermochroma.losses.pixel import absolute
from thermochroma.networks.blocks import init_normal, instance_norm, scaled, spread_channels
from thermochroma.networks.image_pool import ImagePool
from thermochroma.networks.patchgan import PatchCritic
from thermochroma.networks.resnet import ResNet
from thermochroma.networks.unet import UNet

BASE = 64
CHANNELS = 3
BLOCKS = 6


class RecycleTranslator(Translator[Still]):
    """Thermal to visible, frame by frame, without the forecasters. Sides are multiples of 4."""

    def __init__(self, *, scale: float) -> None:
        super().__init__()
        self.resnet = _resnet(scale)

    def forward(self, seen: Still) -> Image:
        return self.resnet(spread_channels(seen.thermal, CHANNELS))


@dataclass(frozen=True)
class Journey:
    """Three frames of one spectrum, and their translations into the other.

    true: the frames. fakes: the first two translated, the third forecast from those. again: that
    forecast, translated back. expected: the third frame, forecast from the true first two.
    """

    true: list[Image]
    fakes: list[Image]
    again: Image
    expected: Image


class RecycleGame(Game[Triplets]):
    """Game of translators and forecasters in one turn, then both critics."""

    def __init__(
        self,
        *,
        translator: RecycleTranslator,
        scale: float,
        frozen: object,
        forecaster_halvings: int,
        cycles: bool,
        history: int,
    ) -> None:
        super().__init__()
        self.to_visible, self.to_thermal = translator, _resnet(scale)
        self.forecasters = nn.ModuleDict(
            {name: _forecaster(scale, forecaster_halvings) for name in SPECTRA}
        )
        self.critics = nn.ModuleDict({name: _critic(scale) for name in SPECTRA})
        self.pools = nn.ModuleDict({name: ImagePool(history) for name in SPECTRA})
        self.cycles = cycles

    def players(self) -> Mapping[str, nn.Module]:
        return {
            "translators": nn.ModuleList([self.to_visible, self.to_thermal, self.forecasters]),
            "critics": self.critics,
        }

    def turns(self, batch: Triplets, progress: Progress) -> Iterator[Turn]:
        thermal = [spread_channels(frame, CHANNELS) for frame in batch.thermal.unbind(1)]
        visible = list(batch.visible.unbind(1))
        journeys = {
            "visible": self.travel(thermal, "thermal", "visible"),
            "thermal": self.travel(visible, "visible", "thermal"),
        }
        yield Turn("translators", self.translator_terms(journeys))
        yield Turn("critics", self.critic_terms(journeys))

    def translate(self, into: str, frames: list[Image]) -> list[Image]:
        """Translate frames of the other spectrum in one pass: no network here mixes images."""
        network = self.to_visible.resnet if into == "visible" else self.to_thermal
        return list(network(cat(frames)).chunk(len(frames)))

    def travel(self, frames: list[Image], home: str, abroad: str) -> Journey:
        """Translate two frames, forecast the third in the other spectrum, translate that back."""
        first, second = self.translate(abroad, frames[:2])
        third = self.forecasters[abroad](cat([first, second], dim=1))
        (again,) = self.translate(home, [third])
        expected = self.forecasters[home](cat(frames[:2], dim=1))
        return Journey(frames, [first, second, third], again, expected)

    def translator_terms(self, journeys: Mapping[str, Journey]) -> Mapping[str, Tensor]:
        """Adversarial terms of three frames, recycle and forecast terms; with `cycles`, plain ones too."""
        terms: dict[str, Tensor] = {}
        for abroad, journey in journeys.items():
            home = OTHER[abroad]
            terms |= {
                f"adversarial_{abroad}": self.fooled(abroad, journey.fakes),
                f"recycle_{home}": absolute(journey.again, journey.true[2]),
                f"forecast_{home}": absolute(journey.expected, journey.true[2]),
            }
            if self.cycles:
                terms |= self.plain_terms(abroad, journey)
        return terms

    def plain_terms(self, abroad: str, journey: Journey) -> Mapping[str, Tensor]:
        """Cycle and identity terms of the first two frames."""
        home, first_two = OTHER[abroad], journey.true[:2]
        back = self.translate(home, journey.fakes[:2])
        same = self.translate(home, first_two)
        return {
            f"cycle_{home}": _sum_absolute(back, first_two),
            f"identity_{home}": _sum_absolute(same, first_two),
        }

    def fooled(self, spectrum: str, fakes: list[Image]) -> Float[Tensor, " b"]:
        """Adversarial term, summed over the fakes."""
        scored = self.critics[spectrum](cat(fakes)).chunk(len(fakes))
        return torch.stack([squares_real(one) for one in scored]).sum(0)

    def critic_terms(self, journeys: Mapping[str, Journey]) -> Mapping[str, Tensor]:
        """Sums over four pairs: three frames with their fakes, the third also with its forecast."""
        terms = {}
        for spectrum, journey in journeys.items():
            true, expected = journeys[OTHER[spectrum]].true, journeys[OTHER[spectrum]].expected
            critic = self.critics[spectrum]
            fakes = [*journey.fakes, expected]
            shown = self.pools[spectrum](cat(fakes)).chunk(len(fakes))
            on_true = [squares_real(one) for one in critic(cat(true)).chunk(len(true))]
            on_fake = [squares_fake(one) for one in critic(cat(shown)).chunk(len(shown))]
            terms[f"{spectrum}_real"] = torch.stack([*on_true, on_true[2]]).sum(0)
            terms[f"{spectrum}_fake"] = torch.stack(on_fake).sum(0)
        return terms


def _sum_absolute(output: list[Image], true: list[Image]) -> Float[Tensor, " b"]:
    return torch.stack([absolute(*pair) for pair in zip(output, true, strict=True)]).sum(0)


def _resnet(scale: float) -> ResNet:
    resnet = ResNet(
        in_channels=CHANNELS, out_channels=CHANNELS, blocks=BLOCKS, base=scaled(BASE, scale)
    )
    init_normal(resnet)
    return resnet


def _forecaster(scale: float, halvings: int) -> UNet:
    forecaster = UNet(
        in_channels=2 * CHANNELS,
        out_channels=CHANNELS,
        downs=halvings,
        base=scaled(BASE, scale),
        norm=instance_norm,
        biased=True,
        dropout=0.0,
    )
    init_normal(forecaster)
    return forecaster


def _critic(scale: float) -> PatchCritic:
    critic = PatchCritic(
        in_channels=CHANNELS, base=scaled(BASE, scale), norm=instance_norm, biased=True
    )
    init_normal(critic)
    return critic


OTHER = {"visible": "thermal", "thermal": "visible"}
SPECTRA = tuple(OTHER)


class TranslatorSettings(Strict):
    pass


class GameSettings(Strict):
    forecaster_halvings: PositiveInt
    cycles: bool
    history: NonNegativeInt


class Weights(Strict):
    adversarial_visible: float
    adversarial_thermal: float
    recycle_thermal: float
    recycle_visible: float
    forecast_thermal: float
    forecast_visible: float
    visible_real: float
    visible_fake: float
    thermal_real: float
    thermal_fake: float


class WeightsWithCycles(Weights):
    """Weights of the second model, which also has plain cycles and identities."""

    cycle_thermal: float
    cycle_visible: float
    identity_thermal: float
    identity_visible: float


class RecycleGanSettings(Settings):
    translator: TranslatorSettings
    game: GameSettings
    weights: WeightsWithCycles | Weights

    @model_validator(mode="after")
    def _cycles_are_weighed(self) -> "RecycleGanSettings":
        if self.game.cycles != isinstance(self.weights, WeightsWithCycles):
            raise ValueError("`cycles: true` and weights of cycles and identities go together")
        return self


def _window_multiple(settings: RecycleGanSettings) -> int:
    return 2**settings.game.forecaster_halvings


METHOD = Method(
    title="Recycle-GAN",
    paper="Bansal et al., Recycle-GAN: Unsupervised Video Retargeting, ECCV 2018",
    licence="original code MIT; none of it is used",
    direction=Direction.THERMAL_TO_VISIBLE,
    settings=RecycleGanSettings,
    sees=Still,
    trains_on=Triplets,
    pairing=Pairing.UNALIGNED,
    sides_multiple_of=4,
    least_side=8,
    taught_sides=_window_multiple,
    published_parameters={
        # Two translators and two forecasters; two critics.
        "recycle_gan": {
            "translators": 2 * 7_837_699 + 2 * 54_412_675,
            "critics": 2 * 2_764_737,
        }
    },
    translator=RecycleTranslator,
    game=RecycleGame,
    channels_first_on_processor=True,
)
