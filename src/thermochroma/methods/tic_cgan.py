"""TIC-CGAN: Kuang et al., "Thermal Infrared Colorization via Conditional Generative ...", 2020.

Rebuilt from facts of the authors' code: a coarse branch computes features at half the sides, a fine
branch adds the detail that is lost there and makes the output; a patch critic sees thermal and visible
together; content, adversarial, perceptual and total-variation terms. Deviations:
- the critic's loss is binary cross entropy: the code's default is least squares, but the training log
  that its authors released with their weights cannot come from that (`criterion: least_squares`);
- total variation is divided by the image's own pixels and by the batch (the same for one image of
  256x256, the only size of the original);
- the learning rate never reaches 0 (it does, one epoch long);
- instance norms keep no running statistics: the original keeps some and never uses them.
Kept, although odd: VGG-16 sees images in [-1, 1], not normalised as in its training.
"""

from typing import Literal

from pydantic import NonNegativeInt
from torch import nn

from thermochroma.base.tensors import Image
from thermochroma.contract.batch import Still
from thermochroma.contract.method import Direction, Method, Pairing, Translator
from thermochroma.contract.settings import Settings, Strict
from thermochroma.games.paired_adversarial import PairedAdversarialGame, PerceptualAndVariation
from thermochroma.losses.adversarial import CRITERIA
from thermochroma.networks.blocks import init_normal, instance_norm, scaled, spread_channels
from thermochroma.networks.frozen import FrozenNetworks
from thermochroma.networks.image_pool import ImagePool
from thermochroma.networks.patchgan import PatchCritic
from thermochroma.networks.resnet import ResidualBlock, doubling, halving, head, stem

BASE = 32  # channels at full sides, and of the critic
COARSE_BLOCKS, FINE_BLOCKS = 9, 3


class TicTranslator(Translator[Still]):
    """Sum of coarse and fine features, then layers that make the output. Sides: multiples of 16.

    The branches learn together from the first image on. Sides of 16 itself are too small.
    """

    def __init__(self, *, scale: float, thermal_channels: int) -> None:
        super().__init__()
        base = scaled(BASE, scale)
        self.thermal_channels = thermal_channels
        self.shrink = nn.AvgPool2d(3, 2, 1, count_include_pad=False)
        self.coarse = nn.Sequential(
            *stem(thermal_channels, 2 * base),
            *halving(2 * base, 4 * base),
            *halving(4 * base, 8 * base),
            *halving(8 * base, 16 * base),
            *(ResidualBlock(16 * base) for _ in range(COARSE_BLOCKS)),
            *doubling(16 * base, 8 * base),
            *doubling(8 * base, 4 * base),
            *doubling(4 * base, 2 * base),
        )
        self.fine = nn.Sequential(*stem(thermal_channels, base), *halving(base, 2 * base))
        self.paint = nn.Sequential(
            *(ResidualBlock(2 * base) for _ in range(FINE_BLOCKS)),
            *doubling(2 * base, base),
            *head(base, 3),
        )
        init_normal(self)

    def forward(self, seen: Still) -> Image:
        thermal = spread_channels(seen.thermal, self.thermal_channels)
        return self.paint(self.fine(thermal) + self.coarse(self.shrink(thermal)))


def tic_game(
    *,
    translator: TicTranslator,
    scale: float,
    frozen: FrozenNetworks,
    criterion: str,
    history: int,
    perceptual_taps: tuple[int, ...],
    perceptual_imagenet_norm: bool,
) -> PairedAdversarialGame:
    """Game with a patch critic and a pool; content, adversarial, perceptual, total-variation terms."""
    channels = translator.thermal_channels
    critic = PatchCritic(
        in_channels=channels + 3, base=scaled(BASE, scale), norm=instance_norm, biased=True
    )
    init_normal(critic)
    features = frozen.vgg16(taps=perceptual_taps, imagenet_norm=perceptual_imagenet_norm)
    return PairedAdversarialGame(
        translator=translator,
        thermal_channels=channels,
        critic=critic,
        criterion=CRITERIA[criterion],
        pool=ImagePool(history),
        terms=PerceptualAndVariation(features),
    )


class TranslatorSettings(Strict):
    thermal_channels: Literal[1, 3]


class GameSettings(Strict):
    criterion: Literal["cross_entropy", "least_squares"]
    history: NonNegativeInt
    perceptual_taps: tuple[int, ...]
    perceptual_imagenet_norm: bool


class Weights(Strict):
    critic_real: float
    critic_fake: float
    content: float
    adversarial: float
    perceptual: float
    tv: float


class TicSettings(Settings):
    translator: TranslatorSettings
    game: GameSettings
    weights: Weights


METHOD = Method(
    title="TIC-CGAN",
    paper="Kuang et al., Thermal Infrared Colorization via Conditional Generative Adversarial Network, "
    "Infrared Physics & Technology 107, 2020",
    licence="original code under the BSD-type text of CycleGAN and Pix2pix; none of it is used",
    direction=Direction.THERMAL_TO_VISIBLE,
    settings=TicSettings,
    sees=Still,
    pairing=Pairing.ALIGNED,
    sides_multiple_of=16,
    least_side=32,
    published_parameters={"tic_cgan": {"critic": 695_777, "translator": 45_851_907}},
    translator=TicTranslator,
    game=tic_game,
)
