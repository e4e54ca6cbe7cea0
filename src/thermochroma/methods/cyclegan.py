"""CycleGAN: Zhu et al., "Unpaired Image-to-Image Translation using Cycle-Consistent ...", ICCV 2017.

Rebuilt from facts of the authors' PyTorch code: two residual translators with nine blocks, two patch
critics with instance norm, least squares, cycles, identities, and a pool of former fakes. Deviation: the
learning rate never reaches 0. As in the original, a thermal image has three equal channels, but the
output of the translator back to thermal is not forced to be grey.
"""

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from pydantic import NonNegativeInt, PositiveInt
from torch import Tensor, nn

from thermochroma.base.tensors import Image
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
from thermochroma.losses.adversarial import squares_fake, squares_real
from thermochroma.losses.pixel import absolute
from thermochroma.networks.blocks import init_normal, instance_norm, scaled, spread_channels
from thermochroma.networks.image_pool import ImagePool
from thermochroma.networks.patchgan import PatchCritic
from thermochroma.networks.resnet import ResNet

BASE = 64
CHANNELS = 3  # identity terms compare a translator's input with its output: both have three


class CycleGanTranslator(Translator[Still]):
    """Residual network from thermal to visible. Sides are multiples of 4."""

    def __init__(self, *, scale: float, blocks: int) -> None:
        super().__init__()
        self.blocks = blocks
        self.resnet = _resnet(scale, blocks)

    def forward(self, seen: Still) -> Image:
        return self.resnet(spread_channels(seen.thermal, CHANNELS))


class Cycle(NamedTuple):
    """True images, translations and reconstructions of both cycles."""

    thermal: Image
    visible: Image
    fake_visible: Image
    fake_thermal: Image
    thermal_again: Image
    visible_again: Image


class CycleGanGame(Game[Batch[Still]]):
    """Game of both translators in one turn, then both critics in one turn."""

    def __init__(
        self, *, translator: CycleGanTranslator, scale: float, frozen: object, history: int
    ) -> None:
        super().__init__()
        self.to_visible = translator
        self.to_thermal = _resnet(scale, translator.blocks)
        self.critics = nn.ModuleDict({"visible": _critic(scale), "thermal": _critic(scale)})
        self.pools = nn.ModuleDict({"visible": ImagePool(history), "thermal": ImagePool(history)})

    def players(self) -> Mapping[str, nn.Module]:
        return {
            "translators": nn.ModuleList([self.to_visible, self.to_thermal]),
            "critics": self.critics,
        }

    def turns(self, batch: Batch[Still], progress: Progress) -> Iterator[Turn]:
        cycle = self.run_cycle(batch)
        yield Turn("translators", self.translator_terms(cycle))
        yield Turn("critics", self.critic_terms(cycle))

    def run_cycle(self, batch: Batch[Still]) -> Cycle:
        """Translate both ways and back."""
        thermal = spread_channels(batch.seen.thermal, CHANNELS)
        visible = batch.target
        fake_visible = self.to_visible(batch.seen)
        fake_thermal = self.to_thermal(visible)
        return Cycle(
            thermal=thermal,
            visible=visible,
            fake_visible=fake_visible,
            fake_thermal=fake_thermal,
            thermal_again=self.to_thermal(fake_visible),
            visible_again=self.to_visible.resnet(fake_thermal),
        )

    def translator_terms(self, cycle: Cycle) -> Mapping[str, Tensor]:
        """Adversarial, cycle and identity terms of both directions."""
        return {
            "adversarial_visible": squares_real(self.critics["visible"](cycle.fake_visible)),
            "adversarial_thermal": squares_real(self.critics["thermal"](cycle.fake_thermal)),
            "cycle_thermal": absolute(cycle.thermal_again, cycle.thermal),
            "cycle_visible": absolute(cycle.visible_again, cycle.visible),
            "identity_visible": absolute(self.to_visible.resnet(cycle.visible), cycle.visible),
            "identity_thermal": absolute(self.to_thermal(cycle.thermal), cycle.thermal),
        }

    def critic_terms(self, cycle: Cycle) -> Mapping[str, Tensor]:
        """Terms of each critic on real images and on fakes from its pool."""
        visible, thermal = self.critics["visible"], self.critics["thermal"]
        former_visible = self.pools["visible"](cycle.fake_visible)
        former_thermal = self.pools["thermal"](cycle.fake_thermal)
        return {
            "visible_real": squares_real(visible(cycle.visible)),
            "visible_fake": squares_fake(visible(former_visible)),
            "thermal_real": squares_real(thermal(cycle.thermal)),
            "thermal_fake": squares_fake(thermal(former_thermal)),
        }


def _resnet(scale: float, blocks: int) -> ResNet:
    resnet = ResNet(
        in_channels=CHANNELS, out_channels=CHANNELS, blocks=blocks, base=scaled(BASE, scale)
    )
    init_normal(resnet)
    return resnet


def _critic(scale: float) -> PatchCritic:
    critic = PatchCritic(
        in_channels=CHANNELS, base=scaled(BASE, scale), norm=instance_norm, biased=True
    )
    init_normal(critic)
    return critic


class TranslatorSettings(Strict):
    blocks: PositiveInt


class GameSettings(Strict):
    history: NonNegativeInt


class Weights(Strict):
    adversarial_visible: float
    adversarial_thermal: float
    cycle_thermal: float
    cycle_visible: float
    identity_visible: float
    identity_thermal: float
    visible_real: float
    visible_fake: float
    thermal_real: float
    thermal_fake: float


class CycleGanSettings(Settings):
    translator: TranslatorSettings
    game: GameSettings
    weights: Weights


METHOD = Method(
    title="CycleGAN",
    paper="Zhu et al., Unpaired Image-to-Image Translation using Cycle-Consistent Adversarial "
    "Networks, ICCV 2017",
    licence="original code BSD-2-Clause; none of it is used",
    direction=Direction.THERMAL_TO_VISIBLE,
    settings=CycleGanSettings,
    sees=Still,
    pairing=Pairing.UNALIGNED,
    sides_multiple_of=4,
    least_side=8,
    published_parameters={"cyclegan": {"translators": 2 * 11_378_179, "critics": 2 * 2_764_737}},
    translator=CycleGanTranslator,
    game=CycleGanGame,
    channels_first_on_processor=True,
)
