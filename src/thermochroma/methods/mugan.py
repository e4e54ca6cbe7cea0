"""MUGAN: Liao et al., "Thermal Infrared Image Colorization Using Mixed-Skipping UNet and ...", 2023.

Rebuilt from facts of the authors' code: a U-Net whose decoder has four columns as in UNet++ and whose
deepest nodes see all shallower encoder stages as in UNet 3+; attention on those nodes; four heads whose
mean is the output; a patch critic that sees thermal and visible together. Deviations:
- batch norms as in the original's tests, each image by its own statistics, whatever its batch
  (`norm: running` keeps statistics in training instead, which the original does but never uses);
- total variation is divided by the image's own pixels and by the batch (the original divides by the
  constant 320 x 256, which is the same for one image of that size);
- images are mirrored left to right only: the original also turns streets upside down;
- the learning rate never reaches 0 (it does, one epoch long).
Kept, although odd: the second unit of each chain is applied twice with the same weights, the output
passes a leaky ReLU (`out: tanh` changes that), which has no upper bound and makes dark colours hard to
reach, and VGG-16 sees images in [-1, 1], not normalised as in its training.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from itertools import pairwise
from typing import Literal

from jaxtyping import Float
from pydantic import NonNegativeInt
from torch import Tensor, cat, nn, stack
from torch.nn import functional as F

from thermochroma.base.tensors import Image
from thermochroma.contract.batch import Still
from thermochroma.contract.method import Direction, Method, Pairing, Translator
from thermochroma.contract.settings import Settings, Strict
from thermochroma.games.paired_adversarial import PairedAdversarialGame, PerceptualAndVariation
from thermochroma.losses.adversarial import CRITERIA
from thermochroma.losses.structure import dissimilarity
from thermochroma.networks.batch_wide import BatchNorm2d
from thermochroma.networks.blocks import (
    ImageNorm,
    init_normal,
    instance_norm,
    scaled,
    spread_channels,
)
from thermochroma.networks.frozen import FrozenNetworks, VggFeatures
from thermochroma.networks.image_pool import ImagePool
from thermochroma.networks.patchgan import PatchCritic

BASE = 32  # channels at full sides, and of the critic
STAGES = 5  # of the encoder; each is twice as wide as the one before
BLOCKS = 2  # a stage
REDUCTION = 8  # of channels inside attention
LEAK = 0.2

FeatureMaps = Float[Tensor, "b c h w"]
Norm = Callable[[int], nn.Module]


class FeatureBlock(nn.Module):
    """Two chains of 3x3 units, the second one dilated, their product, and a shortcut."""

    def __init__(self, narrow: int, wide: int, *, norm: Norm, shortcut: nn.Module) -> None:
        super().__init__()
        self.near = _unit(narrow, wide, norm=norm, dilation=1)
        self.near_again = _unit(wide, wide, norm=norm, dilation=1)
        self.far = _unit(narrow, wide, norm=norm, dilation=2)
        self.far_again = _unit(wide, wide, norm=norm, dilation=2)
        self.common = nn.Conv2d(wide, wide, 3, padding=1)
        self.join = nn.Conv2d(3 * wide, wide, 1)
        self.shortcut = shortcut

    def forward(self, x: FeatureMaps) -> Float[Tensor, "b d h w"]:
        near, far = self.near(x), self.far(x)
        nearer, farther = self.near_again(near), self.far_again(far)
        chains = [
            self.near_again(nearer) + near,
            self.far_again(farther),
            self.common(nearer * farther),
        ]
        return F.relu(self.join(cat(chains, dim=1)) + self.shortcut(x))


class Attention(nn.Module):
    """Sum of x weighted by channels, and x times the product of x weighted by channels and by places."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        narrow = max(1, channels // REDUCTION)
        self.by_mean = nn.Sequential(
            nn.Linear(channels, narrow, bias=False),
            nn.ReLU(),
            nn.Linear(narrow, channels, bias=False),
        )
        self.by_extremes = nn.Sequential(
            nn.Conv2d(channels, narrow, 1, bias=False),
            nn.ReLU(),
            nn.Conv2d(narrow, channels, 1, bias=False),
        )
        self.by_place = nn.Conv2d(2, 1, 7, padding=3)

    def forward(self, x: FeatureMaps) -> FeatureMaps:
        mean, most = x.mean((2, 3), keepdim=True), x.amax((2, 3), keepdim=True)
        weighed = x * self.by_mean(mean.flatten(1)).sigmoid()[..., None, None]
        channels = (self.by_extremes(most) + self.by_extremes(mean)).sigmoid()
        places = self.by_place(cat([x.amax(1, True), x.mean(1, True)], dim=1)).sigmoid()
        return weighed + x * ((x * channels) * (x * places))


class Up(nn.Module):
    """Step up: enlarge the deeper node twofold, concatenate the skip, two 3x3 convolutions without norm."""

    def __init__(self, wide: int, narrow: int, *, attention: nn.Module) -> None:
        super().__init__()
        self.attention = attention  # first, as in the public checkpoints; it is applied last
        self.fuse = nn.Sequential(
            nn.Conv2d(2 * narrow, narrow, 3, padding=1),
            nn.ReLU(),
            nn.Conv2d(narrow, narrow, 3, padding=1),
            nn.ReLU(),
        )
        self.enlarge = nn.ConvTranspose2d(wide, narrow, 4, 2, 1)

    def forward(
        self, deeper: Float[Tensor, "b d y x"], skip: Float[Tensor, "b c h w"]
    ) -> Float[Tensor, "b c h w"]:
        return self.attention(self.fuse(cat([self.enlarge(deeper), skip], dim=1)))


class NestedColumn(nn.Module):
    """Column with one node for each two neighbours of the column before; the deepest has attention."""

    def __init__(self, widths: Sequence[int]) -> None:
        super().__init__()
        *rest, (narrow, wide) = pairwise(widths)
        ups = [Up(more, less, attention=nn.Identity()) for less, more in rest]
        self.ups = nn.ModuleList([*ups, Up(wide, narrow, attention=Attention(narrow))])

    def forward(self, nodes: Sequence[Tensor]) -> list[Tensor]:
        return [up(nodes[depth + 1], nodes[depth]) for depth, up in enumerate(self.ups)]


class FullScaleSkip(nn.Module):
    """Join of a node with every shallower encoder stage, shrunk to the node's sides.

    widths: channels of the stages from the shallowest to the node's own. kept: channels that each
    shallower stage is reduced to.
    """

    def __init__(self, widths: Sequence[int], *, kept: int, norm: Norm) -> None:
        super().__init__()
        *shallower, own = widths
        self.shrink = nn.ModuleList(
            nn.Sequential(
                nn.MaxPool2d(2 ** (len(shallower) - depth)),
                nn.Conv2d(width, kept, 3, padding=1),
                norm(kept),
                nn.ReLU(),
            )
            for depth, width in enumerate(shallower)
        )
        self.join = nn.Sequential(
            nn.Conv2d(own + len(shallower) * kept, own, 1), norm(own), nn.ReLU()
        )

    def forward(self, node: FeatureMaps, stages: Sequence[Tensor]) -> FeatureMaps:
        shrunk = [shrink(stage) for shrink, stage in zip(self.shrink, stages, strict=False)]
        return self.join(cat([node, *shrunk], dim=1))


class MixedSkipUNet(nn.Module):
    """U-Net of columns: node d of column k joins nodes d and d + 1 of column k - 1; column 0 encodes.

    The deepest node of each column has attention and, unless it has full sides, a full-scale skip.
    A head makes an image of each column's first node; the result is their mean, not yet bounded.
    """

    def __init__(self, *, in_channels: int, base: int, norm: Norm) -> None:
        super().__init__()
        widths = [base * 2**depth for depth in range(STAGES)]
        self.stages = nn.ModuleList(
            _stage(narrow, wide, norm=norm) for narrow, wide in pairwise([in_channels, *widths])
        )
        self.columns = nn.ModuleList(NestedColumn(widths[:count]) for count in range(STAGES, 1, -1))
        self.full_scale = nn.ModuleList(
            FullScaleSkip(widths[:count], kept=2 * base, norm=norm)
            for count in range(STAGES - 1, 1, -1)
        )
        self.heads = nn.ModuleList(nn.Conv2d(base, 3, 1) for _ in self.columns)

    def forward(self, image: Image) -> Float[Tensor, "b 3 h w"]:
        stages = [self.stages[0](image)]
        for stage in self.stages[1:]:
            stages.append(stage(F.max_pool2d(stages[-1], 2)))
        nodes, output = stages, []
        for column, head, full_scale in zip(
            self.columns, self.heads, [*self.full_scale, None], strict=True
        ):
            nodes = column(nodes)
            if full_scale is not None:
                nodes[-1] = full_scale(nodes[-1], stages)
            output.append(head(nodes[0]))
        return stack(output).mean(0)


class MuganTranslator(Translator[Still]):
    """The mixed-skipping U-Net. Sides are multiples of 16."""

    def __init__(self, *, scale: float, thermal_channels: int, norm: str, out: str) -> None:
        super().__init__()
        self.thermal_channels = thermal_channels
        self.unet = MixedSkipUNet(
            in_channels=thermal_channels, base=scaled(BASE, scale), norm=NORMS[norm]
        )
        self.bound = OUTPUTS[out]()
        init_normal(self)

    def forward(self, seen: Still) -> Image:
        return self.bound(self.unet(spread_channels(seen.thermal, self.thermal_channels)))


class MuganTerms(nn.Module):
    """Perceptual distance, total variation, and 1 - SSIM."""

    def __init__(self, features: VggFeatures) -> None:
        super().__init__()
        self.of_lineage = PerceptualAndVariation(features)

    def forward(self, output: Image, target: Image) -> Mapping[str, Float[Tensor, " b"]]:
        return {**self.of_lineage(output, target), "ssim": dissimilarity(output, target)}


def mugan_game(
    *,
    translator: MuganTranslator,
    scale: float,
    frozen: FrozenNetworks,
    criterion: str,
    history: int,
    perceptual_taps: tuple[int, ...],
    perceptual_imagenet_norm: bool,
) -> PairedAdversarialGame:
    """Game with a patch critic and a pool; content and adversarial terms, and `MuganTerms`."""
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
        terms=MuganTerms(features),
    )


def _unit(narrow: int, wide: int, *, norm: Norm, dilation: int) -> nn.Sequential:
    convolution = nn.Conv2d(narrow, wide, 3, padding=dilation, dilation=dilation, bias=False)
    return nn.Sequential(convolution, norm(wide), nn.ReLU())


def _stage(narrow: int, wide: int, *, norm: Norm) -> nn.Sequential:
    """Blocks of one width; only the first one has layers in its shortcut."""
    shortcut = nn.Sequential(nn.Conv2d(narrow, wide, 1, bias=False), norm(wide))
    first = FeatureBlock(narrow, wide, norm=norm, shortcut=shortcut)
    later = (FeatureBlock(wide, wide, norm=norm, shortcut=nn.Identity()) for _ in range(BLOCKS - 1))
    return nn.Sequential(first, *later)


NORMS: Mapping[str, Norm] = {"per_image": ImageNorm, "running": BatchNorm2d}
OUTPUTS: Mapping[str, Callable[[], nn.Module]] = {
    "leaky_relu": partial(nn.LeakyReLU, LEAK),
    "tanh": nn.Tanh,
}


class TranslatorSettings(Strict):
    thermal_channels: Literal[1, 3]
    norm: Literal["per_image", "running"]
    out: Literal["leaky_relu", "tanh"]


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
    ssim: float


class MuganSettings(Settings):
    translator: TranslatorSettings
    game: GameSettings
    weights: Weights


METHOD = Method(
    title="MUGAN",
    paper="Liao et al., MUGAN: Thermal Infrared Image Colorization Using Mixed-Skipping UNet and "
    "Generative Adversarial Network, IEEE Transactions on Intelligent Vehicles 8(4), 2023",
    licence="original code BSD-2-Clause; none of it is used",
    direction=Direction.THERMAL_TO_VISIBLE,
    settings=MuganSettings,
    sees=Still,
    pairing=Pairing.ALIGNED,
    sides_multiple_of=16,
    least_side=32,
    published_parameters={"mugan": {"critic": 695_777, "translator": 37_741_816}},
    translator=MuganTranslator,
    game=mugan_game,
)
