"""CMMF-Net: Jiang et al., Intelligence & Robotics 2025, 5(1), 34-49, with its two ablations.

The paper comes without code and leaves much open; every open point is a setting, whose value in
`params.yaml` is our reading (docs/methods/cmmf_net.md gives the reasons). In that reading text tokens of
a frozen CLIP are the queries and tokens of the thermal image keys and values, in two blocks; the result is
averaged over the sentence and added to every image token; a large-kernel U-Net takes the fused tokens as
further channels at 1/8 of the sides. No critic: Eq. 5 of the paper sums four terms and none is adversarial.
"""

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Literal

from jaxtyping import Bool, Float
from pydantic import model_validator
from torch import Tensor, add, arange, cat, nn

from thermochroma.base.tensors import Image
from thermochroma.contract.batch import Batch, Captioned
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
from thermochroma.games.perceptual_network import other_than_vgg19, refuse_other_layers
from thermochroma.losses.perceptual import perceptual
from thermochroma.losses.pixel import absolute, total_variation
from thermochroma.losses.structure import dissimilarity
from thermochroma.networks.attention import MultiHeadAttention, Perceptron
from thermochroma.networks.blocks import instance_norm, scaled, spread_channels
from thermochroma.networks.frozen import FrozenNetworks, Vgg
from thermochroma.networks.large_kernel import LargeKernelEncoder, pairs
from thermochroma.networks.vit import ImageEncoder, to_grid, to_tokens

BASE = 64  # channels at half the sides; the paper's U-Net is LKAT-GAN's
WIDTH = 512  # of tokens: LKAT-GAN's, and that of CLIP ViT-B/32's text
HEADS = 8
DEPTH = 9  # of the image encoder, Sec. 3.1
INTERACTIONS = 2  # blocks, Sec. 3.3
TOKENS = 77  # CLIP's context
SIDE = 256  # the crop of the paper

Tokens = Float[Tensor, "b n d"]
Text = Float[Tensor, "b t k"]
Mask = Bool[Tensor, "b t"]


class TextAsks(nn.Module):
    """Block with text queries, image keys and values; the mean result is added to all image tokens."""

    def __init__(self, *, width: int, text_width: int) -> None:
        super().__init__()
        self.norm_text = nn.LayerNorm(text_width)
        self.norm_picture = nn.LayerNorm(width)
        self.attention = MultiHeadAttention(
            width=width, heads=HEADS, query_width=text_width, key_width=width
        )
        self.norm_perceptron = nn.LayerNorm(width)
        self.perceptron = Perceptron(width)

    def forward(self, tokens: Tokens, text: Text, mask: Mask) -> Tokens:
        answers = self.attention(self.norm_text(text), self.norm_picture(tokens))
        tokens = tokens + masked_mean(answers, mask)
        return tokens + self.perceptron(self.norm_perceptron(tokens))


class ImageAsks(nn.Module):
    """Block with image queries, text keys and values (Sec. 3.1, corrected: the values are text too)."""

    def __init__(self, *, width: int, text_width: int) -> None:
        super().__init__()
        self.norm_picture = nn.LayerNorm(width)
        self.norm_text = nn.LayerNorm(text_width)
        self.attention = MultiHeadAttention(
            width=width, heads=HEADS, query_width=width, key_width=text_width
        )
        self.norm_perceptron = nn.LayerNorm(width)
        self.perceptron = Perceptron(width)

    def forward(self, tokens: Tokens, text: Text, mask: Mask) -> Tokens:
        tokens = tokens + self.attention(self.norm_picture(tokens), self.norm_text(text), mask)
        return tokens + self.perceptron(self.norm_perceptron(tokens))


class ImageAlone(nn.Module):
    """Block without text: self-attention of the image's tokens."""

    def __init__(self, *, width: int) -> None:
        super().__init__()
        self.norm_picture = nn.LayerNorm(width)
        self.attention = MultiHeadAttention(
            width=width, heads=HEADS, query_width=width, key_width=width
        )
        self.norm_perceptron = nn.LayerNorm(width)
        self.perceptron = Perceptron(width)

    def forward(self, tokens: Tokens, text: Text, mask: Mask) -> Tokens:
        normed = self.norm_picture(tokens)
        tokens = tokens + self.attention(normed, normed)
        return tokens + self.perceptron(self.norm_perceptron(tokens))


class Addition(nn.Module):
    """Block without interaction: the sentence's mean feature is added to every image token.

    Text of another width than the image's (a narrow stand-in, a scaled network) goes through one
    linear layer first; at the paper's sizes there is none.
    """

    def __init__(self, *, width: int, text_width: int) -> None:
        super().__init__()
        same = width == text_width
        self.fit: nn.Module = nn.Identity() if same else nn.Linear(text_width, width)

    def forward(self, tokens: Tokens, text: Text, mask: Mask) -> Tokens:
        return tokens + self.fit(masked_mean(text, mask))


class TextStream(nn.Module):
    """Block with text queries whose results stay text tokens, for the `token_map` read-out."""

    def __init__(self, *, width: int) -> None:
        super().__init__()
        self.norm_text = nn.LayerNorm(width)
        self.norm_picture = nn.LayerNorm(width)
        self.attention = MultiHeadAttention(
            width=width, heads=HEADS, query_width=width, key_width=width
        )
        self.norm_perceptron = nn.LayerNorm(width)
        self.perceptron = Perceptron(width)

    def forward(self, tokens: Tokens, text: Text) -> Text:
        text = text + self.attention(self.norm_text(text), self.norm_picture(tokens))
        return text + self.perceptron(self.norm_perceptron(text))


class GridFusion(nn.Module):
    """Blocks on the image's tokens; their grid is then resized to 1/8 of the sides."""

    def __init__(self, blocks: list[nn.Module], *, width: int, enlarge: int, out: int) -> None:
        super().__init__()
        self.blocks = nn.ModuleList(blocks)
        self.project = nn.Sequential(
            nn.Upsample(scale_factor=enlarge, mode="nearest"), *convolution(width, out)
        )

    def forward(
        self, grid: Float[Tensor, "b d y x"], text: Text, mask: Mask
    ) -> Float[Tensor, "b c y8 x8"]:
        tokens = to_tokens(grid)
        for block in self.blocks:
            tokens = block(tokens, text, mask)
        return self.project(to_grid(tokens, grid.shape[-2]))


class TokenMap(nn.Module):
    """Fusion in which each text token becomes one channel, as tokens in LKAT-GAN do; 256x256 only."""

    def __init__(self, *, width: int, text_width: int, out: int) -> None:
        super().__init__()
        same = width == text_width
        self.fit: nn.Module = nn.Identity() if same else nn.Linear(text_width, width)
        self.blocks = nn.ModuleList(TextStream(width=width) for _ in range(INTERACTIONS))
        self.side = SIDE // 8
        self.spread = nn.Linear(width, self.side**2)
        self.project = nn.Sequential(*convolution(TOKENS, out))

    def forward(
        self, grid: Float[Tensor, "b d y x"], text: Text, mask: Mask
    ) -> Float[Tensor, "b c y8 x8"]:
        tokens, stream = to_tokens(grid), self.fit(text)
        for block in self.blocks:
            stream = block(tokens, stream)
        channels = self.spread(stream * mask[..., None])
        return self.project(channels.unflatten(2, (self.side, self.side)))


class Up(nn.Module):
    """Step up: enlarge twofold, convolve, join the skip, convolve."""

    def __init__(self, *, wide: int, narrow: int, skip: str, refine: nn.Module) -> None:
        super().__init__()
        self.enlarge = nn.Sequential(nn.Upsample(scale_factor=2), *convolution(wide, narrow))
        self.join = JOININGS[skip]
        joined = narrow * 2 if skip == "concat" else narrow
        self.fuse = nn.Sequential(*convolution(joined, narrow), refine)

    def forward(
        self, x: Float[Tensor, "b c y x"], skip: Float[Tensor, "b d h w"]
    ) -> Float[Tensor, "b d h w"]:
        return self.fuse(self.join(self.enlarge(x), skip))


class CmmfTranslator(Translator[Captioned]):
    """Fusion of image tokens and text, inside a large-kernel U-Net. Sides: multiples of 16."""

    def __init__(
        self,
        *,
        scale: float,
        text_width: int,
        thermal_channels: int,
        patch: int,
        fusion: str,
        roles: str,
        readout: str,
        text_tokens: str,
        up: str,
        skip: str,
        out: str,
    ) -> None:
        super().__init__()
        base, width = scaled(BASE, scale), HEADS * scaled(WIDTH // HEADS, scale)
        self.thermal_channels = thermal_channels
        self.take_text = TEXT_TAKINGS[text_tokens]
        self.picture_encoder = ImageEncoder(
            in_channels=thermal_channels,
            width=width,
            depth=DEPTH,
            heads=HEADS,
            patch=patch,
            trained_side=SIDE,
        )
        self.fusion = _fusion(
            fusion, roles, readout, width=width, text_width=text_width, patch=patch, out=4 * base
        )
        self.down = LargeKernelEncoder(in_channels=thermal_channels, base=base)
        refine = _refinements(up, base)
        self.up_quarter = Up(wide=8 * base, narrow=2 * base, skip=skip, refine=refine[0])
        self.up_half = Up(wide=2 * base, narrow=base, skip=skip, refine=refine[1])
        self.up_full = nn.Sequential(nn.Upsample(scale_factor=2), *convolution(base, base))
        self.paint = nn.Sequential(nn.Conv2d(base, 3, 3, padding=1), OUTPUTS[out]())

    def forward(self, seen: Captioned) -> Image:
        thermal = spread_channels(seen.thermal, self.thermal_channels)
        text, mask = self.take_text(seen.text, seen.text_mask)
        half, quarter, eighth = self.down(thermal)
        met = self.fusion(self.picture_encoder(thermal), text, mask)
        x = self.up_quarter(cat([eighth, met], dim=1), quarter)
        return self.paint(self.up_full(self.up_half(x, half)))


class CmmfGame(Game[Batch[Captioned]]):
    """Game of one player in one turn: content, perceptual, total variation and SSIM terms (Eq. 5)."""

    def __init__(
        self,
        *,
        translator: CmmfTranslator,
        scale: float,
        frozen: FrozenNetworks,
        perceptual_network: Vgg,
        perceptual_taps: tuple[int, ...],
        perceptual_imagenet_norm: bool,
    ) -> None:
        super().__init__()
        self.translator = translator
        self.features = frozen.vgg(
            perceptual_network, taps=perceptual_taps, imagenet_norm=perceptual_imagenet_norm
        )

    def players(self) -> Mapping[str, nn.Module]:
        return {"translator": self.translator}

    def turns(self, batch: Batch[Captioned], progress: Progress) -> Iterator[Turn]:
        output, target = self.translator(batch.seen), batch.target
        yield Turn(
            "translator",
            {
                "content": absolute(output, target),  # Eq. 1
                "perceptual": perceptual(self.features, output, target),  # Eq. 2
                "tv": total_variation(output),  # Eq. 3, of the output alone
                "ssim": dissimilarity(output, target),  # Eq. 4, with the usual window
            },
        )


def masked_mean(tokens: Text, mask: Mask) -> Float[Tensor, "b 1 k"]:
    """Mean over the positions where the mask is True."""
    chosen = mask[..., None].to(tokens.dtype)
    return (tokens * chosen).sum(1, keepdim=True) / chosen.sum(1, keepdim=True)


def convolution(narrow: int, wide: int) -> list[nn.Module]:
    """Layers: convolution 3x3, instance norm, exact GELU."""
    return [nn.Conv2d(narrow, wide, 3, padding=1), instance_norm(wide), nn.GELU()]


def whole_sentence(text: Text, mask: Mask) -> tuple[Text, Mask]:
    """Take all tokens up to and including end-of-text."""
    return text, mask


def end_of_text(text: Text, mask: Mask) -> tuple[Float[Tensor, "b 1 k"], Bool[Tensor, "b 1"]]:
    """Take the end-of-text token alone, in which CLIP summarises the sentence."""
    last = mask.sum(1) - 1
    rows = arange(len(text), device=text.device)
    return text[rows, last][:, None], mask[:, :1]


def concatenate(
    x: Float[Tensor, "b c h w"], skip: Float[Tensor, "b c h w"]
) -> Float[Tensor, "b c2 h w"]:
    """Concatenate channels."""
    return cat([x, skip], dim=1)


def _fusion(
    fusion: str, roles: str, readout: str, *, width: int, text_width: int, patch: int, out: int
) -> nn.Module:
    if fusion == "interaction" and readout == "token_map":
        return TokenMap(width=width, text_width=text_width, out=out)
    asks: Callable[..., nn.Module] = TextAsks if roles == "text_q" else ImageAsks
    makers: dict[str, list[Callable[[], nn.Module]]] = {
        "interaction": [partial(asks, width=width, text_width=text_width)] * INTERACTIONS,
        "image_alone": [partial(ImageAlone, width=width)] * INTERACTIONS,
        "addition": [partial(Addition, width=width, text_width=text_width)],
        "bypass": [],
    }
    return GridFusion([make() for make in makers[fusion]], width=width, enlarge=patch // 8, out=out)


def _refinements(up: str, base: int) -> tuple[nn.Module, nn.Module]:
    if up == "large_kernel":
        return pairs(2 * base, 2), pairs(base, 6)
    return nn.Identity(), nn.Identity()


Joining = Callable[[Tensor, Tensor], Tensor]
JOININGS: Mapping[str, Joining] = {"concat": concatenate, "add": add}
TEXT_TAKINGS = {"sequence": whole_sentence, "end_of_text": end_of_text}
OUTPUTS = {"linear": nn.Identity, "tanh": nn.Tanh}


class TranslatorSettings(Strict):
    """The paper's open points. The literal reading of Sec. 3.1 (text gives the keys alone) is not
    offered: 77 keys cannot meet 256 values, and pooled text has no influence there at all."""

    thermal_channels: Literal[1, 3]
    patch: Literal[8, 16]
    fusion: Literal["interaction", "image_alone", "bypass", "addition"]
    roles: Literal["text_q", "image_q"]
    readout: Literal["mean_broadcast", "token_map"]
    text_tokens: Literal["sequence", "end_of_text"]
    up: Literal["conv", "large_kernel"]
    skip: Literal["concat", "add"]
    out: Literal["linear", "tanh"]

    @model_validator(mode="after")
    def _nothing_is_ignored(self) -> "TranslatorSettings":
        fixed = {"roles": "text_q", "text_tokens": "sequence"}
        if self.fusion == "addition":
            fixed = {"roles": "text_q", "readout": "mean_broadcast"}
        elif self.fusion != "interaction":
            fixed |= {"readout": "mean_broadcast"}
        elif self.readout != "token_map":
            return self
        here = f"with `fusion: {self.fusion}` and `readout: {self.readout}`"
        if odd := [name for name, value in fixed.items() if getattr(self, name) != value]:
            raise ValueError(f"{here}, nothing but `{odd[0]}: {fixed[odd[0]]}` has a meaning")
        return self


class GameSettings(Strict):
    perceptual_network: Vgg = "vgg19"
    perceptual_taps: tuple[int, ...]
    perceptual_imagenet_norm: bool

    _layers_are_its = model_validator(mode="after")(refuse_other_layers)


class Weights(Strict):
    content: float
    perceptual: float
    tv: float
    ssim: float


class CmmfSettings(Settings):
    translator: TranslatorSettings
    game: GameSettings
    weights: Weights


def uses_text(settings: CmmfSettings) -> bool:
    """Whether any block uses the text: in two fusions, those for "without text", none does."""
    return settings.translator.fusion in {"interaction", "addition"}


METHOD = Method(
    title="CMMF-Net",
    paper="Jiang et al., Intelligence & Robotics 2025, 5(1), 34-49",
    licence="no code was published",
    direction=Direction.THERMAL_TO_VISIBLE,
    settings=CmmfSettings,
    sees=Captioned,
    pairing=Pairing.ALIGNED,
    sides_multiple_of=16,
    # No code is public: counted by hand from our reading's layer sizes, less the fixed position table
    # of 131,072. The encoder's 3,441,088 equal LKAT-GAN's code.
    published_parameters={
        "cmmf_net": {"translator": 40_896_323 - 131_072},
        "cmmf_net_no_text": {"translator": 40_894_275 - 131_072},
        "cmmf_net_no_interaction": {"translator": 34_589_507 - 131_072},
    },
    counts_are_published=False,
    translator=CmmfTranslator,
    game=CmmfGame,
    deviation=other_than_vgg19,
    uses_text=uses_text,
    channels_first_on_processor=True,
)
