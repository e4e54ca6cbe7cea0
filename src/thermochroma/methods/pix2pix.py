"""Pix2pix: Isola et al., "Image-to-Image Translation with Conditional Adversarial Networks", 2017.

Rebuilt from facts of the authors' PyTorch code: U-Net with batch norm, 70x70 patch critic on the pair,
binary cross entropy plus L1. Deviations: a test picture is normalised by itself and without dropout
(the public test script keeps dropout on); the learning rate never reaches 0 (it does, one epoch long).
"""

from collections.abc import Iterator, Mapping
from typing import Literal

from jaxtyping import Float
from torch import Tensor, cat, nn

from thermochroma.base.tensors import Picture, Thermal
from thermochroma.contract.batch import Batch, Still
from thermochroma.contract.method import Clock, Direction, Game, Method, Pairing, Translator, Turn
from thermochroma.contract.settings import Settings, Strict
from thermochroma.losses.adversarial import cross_entropy_fake, cross_entropy_real
from thermochroma.losses.pixel import absolute
from thermochroma.networks.blocks import PictureNorm, init_normal, scaled, spread_channels
from thermochroma.networks.patchgan import PatchCritic
from thermochroma.networks.unet import UNet

BASE = 64


class Pix2pixTranslator(Translator[Still]):
    """A U-Net down to 1x1 at 256x256: sides are multiples of 256."""

    def __init__(self, *, scale: float, thermal_channels: int) -> None:
        super().__init__()
        self.thermal_channels = thermal_channels
        self.unet = UNet(
            in_channels=thermal_channels,
            out_channels=3,
            downs=8,
            base=scaled(BASE, scale),
            norm=PictureNorm,
            biased=False,
            dropout=0.5,
        )
        init_normal(self)

    def forward(self, seen: Still) -> Picture:
        return self.unet(spread_channels(seen.thermal, self.thermal_channels))


class Pix2pixGame(Game[Batch[Still]]):
    """A critic that sees thermal and visible together, then the translator."""

    def __init__(self, *, translator: Pix2pixTranslator, scale: float, frozen: object) -> None:
        super().__init__()
        self.translator = translator
        self.critic = PatchCritic(
            in_channels=translator.thermal_channels + 3,
            base=scaled(BASE, scale),
            norm=PictureNorm,
            biased=False,
        )
        init_normal(self.critic)

    def players(self) -> Mapping[str, nn.Module]:
        return {"critic": self.critic, "translator": self.translator}

    def turns(self, batch: Batch[Still], clock: Clock) -> Iterator[Turn]:
        thermal, real = batch.seen.thermal, batch.target
        fake = self.translator(batch.seen)
        yield Turn(
            "critic",
            {
                "critic_real": cross_entropy_real(self.judge(thermal, real)),
                "critic_fake": cross_entropy_fake(self.judge(thermal, fake.detach())),
            },
        )
        yield Turn(
            "translator",
            {
                "adversarial": cross_entropy_real(self.judge(thermal, fake)),
                "content": absolute(fake, real),
            },
        )

    def judge(self, thermal: Thermal, visible: Picture) -> Float[Tensor, "b 1 y x"]:
        """The critic's logits on the pair."""
        spread = spread_channels(thermal, self.translator.thermal_channels)
        return self.critic(cat([spread, visible], dim=1))


class TranslatorSettings(Strict):
    thermal_channels: Literal[1, 3]


class Weights(Strict):
    critic_real: float
    critic_fake: float
    adversarial: float
    content: float


class Pix2pixSettings(Settings):
    translator: TranslatorSettings
    game: Strict = Strict()
    weights: Weights


METHOD = Method(
    title="Pix2pix",
    paper="Isola et al., Image-to-Image Translation with Conditional Adversarial Networks, CVPR 2017",
    licence="original code BSD-2-Clause; none of it is used",
    direction=Direction.THERMAL_TO_VISIBLE,
    settings=Pix2pixSettings,
    sees=Still,
    pairing=Pairing.ALIGNED,
    sides_multiple_of=256,
    published_parameters={"pix2pix": {"critic": 2_768_705, "translator": 54_413_955}},
    translator=Pix2pixTranslator,
    game=Pix2pixGame,
)
