"""A plain vision transformer on image patches, as in masked autoencoders.

Source: the encoder of LKAT-GAN's public code (He et al., "Masked Autoencoders", CVPR 2022, without
class token and without masking), which CMMF-Net also uses.
"""

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

from thermochroma.networks.attention import Perceptron, init_linear, join_heads, split_heads

NORM_EPS = 1e-6


class SelfAttention(nn.Module):
    """Attention of tokens over themselves with one fused, biased projection."""

    def __init__(self, *, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.qkv = nn.Linear(width, 3 * width)
        self.out = nn.Linear(width, width)
        init_linear(self)

    def forward(self, tokens: Float[Tensor, "b n w"]) -> Float[Tensor, "b n w"]:
        q, k, v = (split_heads(part, self.heads) for part in self.qkv(tokens).chunk(3, dim=-1))
        return self.out(join_heads(F.scaled_dot_product_attention(q, k, v)))


class Block(nn.Module):
    """Pre-norm transformer block: attention, then perceptron, each added to its input."""

    def __init__(self, *, width: int, heads: int) -> None:
        super().__init__()
        self.norm_attention = nn.LayerNorm(width, eps=NORM_EPS)
        self.attention = SelfAttention(width=width, heads=heads)
        self.norm_perceptron = nn.LayerNorm(width, eps=NORM_EPS)
        self.perceptron = Perceptron(width)

    def forward(self, tokens: Float[Tensor, "b n w"]) -> Float[Tensor, "b n w"]:
        tokens = tokens + self.attention(self.norm_attention(tokens))
        return tokens + self.perceptron(self.norm_perceptron(tokens))


class ImageEncoder(nn.Module):
    """Encoder: patches to tokens, `depth` blocks, a last norm. Input sides are multiples of `patch`.

    The fixed position table is made for `trained_side` pixels and interpolated for other sizes.
    """

    positions: Tensor

    def __init__(
        self, *, in_channels: int, width: int, depth: int, heads: int, patch: int, trained_side: int
    ) -> None:
        super().__init__()
        self.patches = nn.Conv2d(in_channels, width, patch, patch)
        nn.init.xavier_uniform_(self.patches.weight.view(width, -1))
        self.blocks = nn.Sequential(*(Block(width=width, heads=heads) for _ in range(depth)))
        self.norm = nn.LayerNorm(width, eps=NORM_EPS)
        table = sine_positions(trained_side // patch, width)
        self.register_buffer("positions", table, persistent=False)

    def forward(self, image: Float[Tensor, "b c h w"]) -> Float[Tensor, "b d y x"]:
        """Tokens of an image, arranged in the grid of their patches."""
        grid = self.patches(image)
        positions = self.positions.to(grid.dtype)
        if positions.shape[-2:] != grid.shape[-2:]:
            positions = F.interpolate(positions, grid.shape[-2:], mode="bicubic")
        tokens = to_tokens(grid + positions)
        return to_grid(self.norm(self.blocks(tokens)), grid.shape[-2])


def to_tokens(grid: Float[Tensor, "b d y x"]) -> Float[Tensor, "b n d"]:
    """Flatten a grid into tokens, row by row."""
    return grid.flatten(2).transpose(1, 2)


def to_grid(tokens: Float[Tensor, "b n d"], rows: int) -> Float[Tensor, "b d y x"]:
    """Undo `to_tokens`."""
    return tokens.transpose(1, 2).unflatten(2, (rows, -1))


def sine_positions(side: int, width: int) -> Float[Tensor, "1 d side side"]:
    """Fixed sine and cosine positions: the first half of the channels encodes the column.

    Each half is [sin(p w_i), then cos(p w_i)], w_i = 10000 ** (-i / (width / 4)).
    """
    quarter = width // 4
    frequencies = 10000.0 ** (-torch.arange(quarter, dtype=torch.float64) / quarter)
    angles = torch.arange(side, dtype=torch.float64)[:, None] * frequencies  # place, frequency
    codes = torch.cat([angles.sin(), angles.cos()], dim=1).T.float()  # half the width, place
    column = codes[:, None, :].expand(-1, side, -1)
    row = codes[:, :, None].expand(-1, -1, side)
    return torch.cat([column, row])[None]
