"""Pix2pix: Isola et al., "Image-to-Image Translation with Conditional Adversarial Networks", 2017.

Rebuilt from facts of the authors' PyTorch code: U-Net with batch norm, 70x70 patch critic on the pair,
binary cross entropy plus L1. Deviations: a test image is normalised by itself and without dropout
(the public test script keeps dropout on); the learning rate never reaches 0 (it does, one epoch long).
"""

from typing import Literal

from torch import nn

from thermochroma.base.tensors import Image
from thermochroma.contract.batch import Still
from thermochroma.contract.method import Direction, Method, Pairing, Translator
from thermochroma.contract.settings import Settings, Strict
from thermochroma.games.paired_adversarial import PairedAdversarialGame, no_terms
from thermochroma.losses.adversarial import CRITERIA
from thermochroma.networks.blocks import ImageNorm, init_normal, scaled, spread_channels
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
            norm=ImageNorm,
            biased=False,
            dropout=0.5,
        )
        init_normal(self)

    def forward(self, seen: Still) -> Image:
        return self.unet(spread_channels(seen.thermal, self.thermal_channels))


def pix2pix_game(
    *, translator: Pix2pixTranslator, scale: float, frozen: object
) -> PairedAdversarialGame:
    """Game with a patch critic that sees each fake once; content and adversarial terms only."""
    channels = translator.thermal_channels
    critic = PatchCritic(
        in_channels=channels + 3, base=scaled(BASE, scale), norm=ImageNorm, biased=False
    )
    init_normal(critic)
    return PairedAdversarialGame(
        translator=translator,
        thermal_channels=channels,
        critic=critic,
        criterion=CRITERIA["cross_entropy"],
        pool=nn.Identity(),
        terms=no_terms,
    )


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
    game=pix2pix_game,
)
