"""The U-Net of Pix2pix (Isola et al., CVPR 2017), as its public PyTorch code wires it."""

from itertools import pairwise

from jaxtyping import Float
from torch import Tensor, cat, nn

from thermochroma.networks.blocks import PictureNorm

LEAK = 0.2
MOST_WIDTHS = 8  # the widest layers are 8 base widths wide


class UNet(nn.Module):
    """Down by 4x4 convolutions of stride 2, up by transposed ones, skips by concatenation.

    Input sides are multiples of 2**downs. The three layers next to the two innermost drop half
    their values in training (the paper places dropout one layer further in; the code is followed).
    Output in [-1, 1] by tanh.
    """

    def __init__(self, *, in_channels: int, out_channels: int, downs: int, base: int) -> None:
        super().__init__()
        widths = [base * min(2**level, MOST_WIDTHS) for level in range(downs)]
        self.downs = nn.ModuleList(_downs(in_channels, widths))
        self.ups = nn.ModuleList(_ups(widths, out_channels))

    def forward(self, x: Float[Tensor, "b i h w"]) -> Float[Tensor, "b o h w"]:
        skips: list[Tensor] = []
        for down in self.downs:
            x = down(x)
            skips.append(x)
        x = skips.pop()
        for up in self.ups[:-1]:
            x = cat([skips.pop(), up(x)], dim=1)
        return self.ups[-1](x)


def _downs(in_channels: int, widths: list[int]) -> list[nn.Module]:
    outermost = nn.Conv2d(in_channels, widths[0], 4, 2, 1, bias=False)
    middle = [
        nn.Sequential(
            nn.LeakyReLU(LEAK),
            nn.Conv2d(narrow, wide, 4, 2, 1, bias=False),
            PictureNorm(wide),
        )
        for narrow, wide in pairwise(widths[:-1])
    ]
    innermost = nn.Sequential(
        nn.LeakyReLU(LEAK), nn.Conv2d(widths[-2], widths[-1], 4, 2, 1, bias=False)
    )
    return [outermost, *middle, innermost]


def _ups(widths: list[int], out_channels: int) -> list[nn.Module]:
    innermost = _up(widths[-1], widths[-2], dropout=False)
    middle = [
        _up(2 * wide, narrow, dropout=place < 3)
        for place, (narrow, wide) in enumerate(
            zip(reversed(widths[:-2]), reversed(widths[1:-1]), strict=True)
        )
    ]
    outermost = nn.Sequential(
        nn.ReLU(), nn.ConvTranspose2d(2 * widths[0], out_channels, 4, 2, 1), nn.Tanh()
    )
    return [innermost, *middle, outermost]


def _up(wide: int, narrow: int, *, dropout: bool) -> nn.Module:
    layers = [
        nn.ReLU(),
        nn.ConvTranspose2d(wide, narrow, 4, 2, 1, bias=False),
        PictureNorm(narrow),
    ]
    return nn.Sequential(*layers, *([nn.Dropout(0.5)] if dropout else []))
