"""LKAT-GAN: He et al., "A GAN for Thermal Infrared Image Colorization Based on Large Kernel ...", 2023.

Rebuilt from facts of the authors' code. A large-kernel U-Net computes features at half the sides; from
them a U-Net with attention computes a local view and a vision transformer a global one; a 1x1 convolution
makes the output of both. A patch critic sees thermal and visible together. Deviations:
- the layers that the original builds and never uses (9,443,206 parameters) are not built, and the
  fixed position tables (49,664) are no parameters: the count is that of the parameters that were trained;
- the original takes 256x256 only. Here the transformer always works on features of 256x256: those of
  other sizes are resized before and after it, which changes nothing at 256x256
  (`other_sizes: refuse` restores the original);
- total variation is divided by the image's own pixels and by the batch (the same for one image of
  256x256), and the learning rate never reaches 0 (it does, one epoch long).
Kept, although odd: each of the transformer's 64 tokens becomes a whole channel (`vision_head: view`),
the output is linear, and AdamW decays biases too.
"""

from collections.abc import Callable, Mapping
from typing import Literal

from jaxtyping import Float
from pydantic import NonNegativeInt
from torch import Tensor, cat, nn
from torch.nn import functional as F

from thermochroma.base.errors import BadInput
from thermochroma.base.tensors import Image, at_least_float32
from thermochroma.contract.batch import Still
from thermochroma.contract.method import Direction, Method, Pairing, Translator
from thermochroma.contract.settings import Settings, Strict
from thermochroma.games.paired_adversarial import PairedAdversarialGame, PerceptualAndVariation
from thermochroma.losses.adversarial import CRITERIA
from thermochroma.networks.attention import init_linear
from thermochroma.networks.blocks import instance_norm, scaled, spread_channels
from thermochroma.networks.frozen import FrozenNetworks
from thermochroma.networks.image_pool import ImagePool
from thermochroma.networks.large_kernel import LargeKernelEncoder, pairs
from thermochroma.networks.patchgan import PatchCritic
from thermochroma.networks.vit import (
    NORM_EPS,
    Block,
    ImageEncoder,
    sine_positions,
    to_grid,
    to_tokens,
)

BASE = 64  # channels of the U-Nets, and of the critic
SIDE = 256  # the only side that the original takes
PATCH = 16  # of features at half the sides: 32 pixels of the image
GRID = SIDE // 2 // PATCH  # 8 by 8 tokens
ENCODER_WIDTH, ENCODER_HEADS, ENCODER_DEPTH = 512, 8, 12
DECODER_WIDTH, DECODER_HEADS, DECODER_DEPTH = 256, 16, 4

FeatureMaps = Float[Tensor, "b c h w"]
Tokens = Float[Tensor, "b n d"]
PixelsOfTokens = Float[Tensor, "b n p"]


class LargeKernelUNet(nn.Module):
    """Large-kernel encoder, then up to half the sides; skips are added."""

    def __init__(self, *, in_channels: int, base: int) -> None:
        super().__init__()
        self.down = LargeKernelEncoder(in_channels=in_channels, base=base)
        self.up_quarter = _enlarge(4 * base, 2 * base, count=2)
        self.up_half = _enlarge(2 * base, base, count=6)
        self.refine = pairs(base, 2, growth=2)

    def forward(self, image: Image) -> Float[Tensor, "b base y x"]:
        half, quarter, eighth = self.down(image)
        x = self.up_quarter(eighth) + quarter
        return self.refine(self.up_half(x) + half)


class Attention(nn.Module):
    """Residual attention: channels weighted by their means, then places by their largest channel."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        narrow = max(1, channels // 4)
        self.weigh = nn.Sequential(
            nn.AdaptiveAvgPool2d(1),
            nn.Conv2d(channels, narrow, 1),
            nn.GELU(),
            nn.Conv2d(narrow, channels, 1),
            nn.Sigmoid(),
        )

    def forward(self, x: FeatureMaps) -> FeatureMaps:
        weighed = x * self.weigh(x)
        return x + weighed * weighed.amax(1, keepdim=True).sigmoid()


class AttentionUNet(nn.Module):
    """Local view: two halvings, with attention on the way down; skips are added.

    Takes features at half the sides, `base` channels, and returns as many at the image's own sides.
    """

    def __init__(self, base: int) -> None:
        super().__init__()
        self.at_half = nn.Sequential(_convolution(base, 2 * base), Attention(2 * base))
        self.at_quarter = nn.Sequential(
            _convolution(2 * base, 4 * base, stride=2), Attention(4 * base)
        )
        self.at_eighth = nn.Sequential(
            _convolution(4 * base, 8 * base, stride=2), Attention(8 * base)
        )
        self.to_quarter = nn.Sequential(
            nn.Upsample(scale_factor=2), _convolution(8 * base, 4 * base)
        )
        self.to_half = nn.Sequential(nn.Upsample(scale_factor=2), _convolution(4 * base, 2 * base))
        self.to_full = nn.Sequential(nn.Upsample(scale_factor=2), _convolution(2 * base, base))

    def forward(self, half: Float[Tensor, "b base y x"]) -> Float[Tensor, "b base h w"]:
        at_half = self.at_half(half)
        at_quarter = self.at_quarter(at_half)
        x = self.to_quarter(self.at_eighth(at_quarter)) + at_quarter
        return self.to_full(self.to_half(x) + at_half)


class VisionDecoder(nn.Module):
    """Decoder: tokens made narrower, four blocks, and a last layer that gives each token its pixels."""

    positions: Tensor

    def __init__(self, *, in_width: int, width: int, heads: int, pixels: int) -> None:
        super().__init__()
        self.enter = nn.Linear(in_width, width)
        self.blocks = nn.Sequential(
            *(Block(width=width, heads=heads) for _ in range(DECODER_DEPTH))
        )
        self.norm = nn.LayerNorm(width, eps=NORM_EPS)
        self.leave = nn.Linear(width, pixels)
        for layer in (self.enter, self.leave):
            init_linear(layer)
        positions = to_tokens(sine_positions(GRID, width))
        self.register_buffer("positions", positions, persistent=False)

    def forward(self, tokens: Tokens) -> PixelsOfTokens:
        entered = self.enter(tokens)
        return self.leave(self.norm(self.blocks(entered + self.positions.to(entered.dtype))))


class Vision(nn.Module):
    """Global view: a masked autoencoder's transformer, with nothing masked, on 8x8 patches.

    head: `view` makes each token a channel, `unpatchify` makes it the patch that it came from.
    """

    def __init__(self, *, base: int, scale: float, head: str) -> None:
        super().__init__()
        width = ENCODER_HEADS * scaled(ENCODER_WIDTH // ENCODER_HEADS, scale)
        self.encoder = ImageEncoder(
            in_channels=base,
            width=width,
            depth=ENCODER_DEPTH,
            heads=ENCODER_HEADS,
            patch=PATCH,
            trained_side=SIDE // 2,
        )
        self.lay_out = LAYOUTS[head]
        self.decoder = VisionDecoder(
            in_width=width,
            width=DECODER_HEADS * scaled(DECODER_WIDTH // DECODER_HEADS, scale),
            heads=DECODER_HEADS,
            pixels=_pixels(head, base),
        )

    def forward(self, half: Float[Tensor, "b base y x"]) -> Float[Tensor, "b k h w"]:
        """Features of the global view, at twice the sides of the input."""
        height, width = half.shape[-2:]
        tokens = to_tokens(self.encoder(_resized(half, SIDE // 2, SIDE // 2)))
        return _resized(self.lay_out(self.decoder(tokens)), 2 * height, 2 * width)


class LkatTranslator(Translator[Still]):
    """Large-kernel U-Net, then local and global view side by side. Sides are multiples of 8.

    other_sizes: `refuse` raises BadInput for images that are not 256x256.
    """

    def __init__(
        self,
        *,
        scale: float,
        thermal_channels: int,
        vision_head: str,
        paint_kernel: int,
        other_sizes: str,
    ) -> None:
        super().__init__()
        base = scaled(BASE, scale)
        self.thermal_channels = thermal_channels
        self.literal = other_sizes == "refuse"
        self.unet = LargeKernelUNet(in_channels=thermal_channels, base=base)
        self.local = AttentionUNet(base)
        self.vision = Vision(base=base, scale=scale, head=vision_head)
        seen = base + (GRID**2 if vision_head == "view" else base)
        self.paint = nn.Conv2d(seen, 3, paint_kernel, padding=paint_kernel // 2)

    def forward(self, seen: Still) -> Image:
        if self.literal:
            refuse_side(seen.thermal)
        half = self.unet(spread_channels(seen.thermal, self.thermal_channels))
        return self.paint(cat([self.local(half), self.vision(half)], dim=1))


def lkat_game(
    *,
    translator: LkatTranslator,
    scale: float,
    frozen: FrozenNetworks,
    history: int,
    perceptual_taps: tuple[int, ...],
    perceptual_imagenet_norm: bool,
) -> PairedAdversarialGame:
    """Game with a patch critic and a pool; content, adversarial, perceptual, total-variation terms."""
    channels = translator.thermal_channels
    critic = PatchCritic(
        in_channels=channels + 3, base=scaled(BASE, scale), norm=instance_norm, biased=True
    )
    features = frozen.vgg16(taps=perceptual_taps, imagenet_norm=perceptual_imagenet_norm)
    return PairedAdversarialGame(
        translator=translator,
        thermal_channels=channels,
        critic=critic,
        criterion=CRITERIA["cross_entropy"],
        pool=ImagePool(history),
        terms=PerceptualAndVariation(features),
    )


def refuse_side(thermal: Image) -> None:
    """Raise BadInput unless the images are 256x256."""
    height, width = thermal.shape[-2:]
    if (height, width) != (SIDE, SIDE):
        raise BadInput(
            given=f"an image of {width}x{height} pixels for LKAT-GAN with `other_sizes: refuse`",
            needed=f"{SIDE}x{SIDE}, the only size that the original network takes",
            remedy=f"cut or resize to {SIDE}x{SIDE}, or set `other_sizes: resize`",
        )


def tokens_as_channels(tokens: PixelsOfTokens) -> Float[Tensor, "b c y x"]:
    """Turn token i into channel i, 256x256, as the original does by a view of its last tensor."""
    return tokens.unflatten(2, (SIDE, SIDE))


def tokens_as_patches(tokens: PixelsOfTokens) -> Float[Tensor, "b c y x"]:
    """Turn token i into the 32x32 pixels that it came from, which probably was the intention."""
    return F.pixel_shuffle(to_grid(tokens, GRID), 2 * PATCH)


def _pixels(head: str, base: int) -> int:
    """Number of values of each token: 65,536 for both heads at the published width."""
    return SIDE**2 if head == "view" else (2 * PATCH) ** 2 * base


def _resized(features: FeatureMaps, height: int, width: int) -> Float[Tensor, "b c y x"]:
    if features.shape[-2:] == (height, width):
        return features
    # in float32: antialiasing is not made for bfloat16 everywhere
    resized = F.interpolate(
        at_least_float32(features), (height, width), mode="bilinear", antialias=True
    )
    return resized.to(features.dtype)


def _enlarge(wide: int, narrow: int, *, count: int) -> nn.Sequential:
    convolution = nn.Conv2d(wide, narrow, 3, padding=1)
    return nn.Sequential(nn.Upsample(scale_factor=2), convolution, pairs(narrow, count))


def _convolution(narrow: int, wide: int, *, stride: int = 1) -> nn.Sequential:
    convolution = nn.Conv2d(narrow, wide, 3, stride, 1)
    return nn.Sequential(convolution, instance_norm(wide), nn.GELU())


Layout = Callable[[Tensor], Tensor]
LAYOUTS: Mapping[str, Layout] = {"view": tokens_as_channels, "unpatchify": tokens_as_patches}


class TranslatorSettings(Strict):
    thermal_channels: Literal[1, 3]
    vision_head: Literal["view", "unpatchify"]
    paint_kernel: Literal[1, 3]
    other_sizes: Literal["resize", "refuse"]


class GameSettings(Strict):
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


class LkatSettings(Settings):
    translator: TranslatorSettings
    game: GameSettings
    weights: Weights


METHOD = Method(
    title="LKAT-GAN",
    paper="He et al., LKAT-GAN: A GAN for Thermal Infrared Image Colorization Based on Large Kernel "
    "and AttentionUNet-Transformer, IEEE Transactions on Consumer Electronics 69(3), 2023",
    licence="original code without a licence; none of it is used",
    direction=Direction.THERMAL_TO_VISIBLE,
    settings=LkatSettings,
    sees=Still,
    pairing=Pairing.ALIGNED,
    sides_multiple_of=8,
    least_side=16,
    # Measured on the authors' code: 83,684,905 for the translator. Of these 9,443,206 are layers that
    # its forward pass never uses and 49,664 fixed position tables; 74,192,035 are trained.
    published_parameters={
        "lkat_gan": {"critic": 2_767_809, "translator": 83_684_905 - 9_443_206 - 49_664}
    },
    translator=LkatTranslator,
    game=lkat_game,
    channels_first_on_processor=True,
)
