"""The U-Net of Pix2pix (Isola et al., CVPR 2017), as in its public PyTorch code."""

from collections.abc import Callable
from itertools import pairwise

from jaxtyping import Float
from torch import Tensor, cat, nn

from thermochroma.base.errors import BadInput
from thermochroma.networks.batch_wide import Dropout

LEAK = 0.2
MOST_WIDTHS = 8  # the widest layers are 8 base widths wide


class UNet(nn.Module):
    """U-Net: down by 4x4 convolutions of stride 2, up by transposed ones, skips by concatenation.

    Input sides are multiples of 2**downs. norm: makes the norm for a width. biased: whether convolutions
    carry a bias; the family of public code gives them one exactly if the norm has no affine parameters.
    dropout: share of values that the three layers next to the two innermost drop in training, as in
    Pix2pix's code (its paper has dropout one layer further in). Output in [-1, 1] by tanh.
    """

    def __init__(
        self,
        *,
        in_channels: int,
        out_channels: int,
        downs: int,
        base: int,
        norm: Callable[[int], nn.Module],
        biased: bool,
        dropout: float,
    ) -> None:
        super().__init__()
        widths = [base * min(2**level, MOST_WIDTHS) for level in range(downs)]
        self.downs = nn.ModuleList(_downs(in_channels, widths, norm=norm, biased=biased))
        self.ups = nn.ModuleList(
            _ups(widths, out_channels, norm=norm, biased=biased, dropout=dropout)
        )

    def forward(self, x: Float[Tensor, "b i h w"]) -> Float[Tensor, "b o h w"]:
        """Translate x. Raises BadInput for sides that are no multiples of 2**downs."""
        self._refuse_sides(*x.shape[-2:])
        skips: list[Tensor] = []
        for down in self.downs:
            x = down(x)
            skips.append(x)
        x = skips.pop()
        for up in self.ups[:-1]:
            x = cat([skips.pop(), up(x)], dim=1)
        return self.ups[-1](x)

    def _refuse_sides(self, height: int, width: int) -> None:
        multiple = 2 ** len(self.downs)
        if height % multiple or width % multiple:
            raise BadInput(
                given=f"images of {height}x{width} pixels for a U-Net with {len(self.downs)} halvings",
                needed=f"sides that are multiples of {multiple}",
                remedy="choose another window or crop size in params.yaml",
            )


def _downs(
    in_channels: int, widths: list[int], *, norm: Callable[[int], nn.Module], biased: bool
) -> list[nn.Module]:
    outermost = nn.Conv2d(in_channels, widths[0], 4, 2, 1, bias=biased)
    middle = [
        nn.Sequential(nn.LeakyReLU(LEAK), nn.Conv2d(narrow, wide, 4, 2, 1, bias=biased), norm(wide))
        for narrow, wide in pairwise(widths[:-1])
    ]
    innermost = nn.Sequential(
        nn.LeakyReLU(LEAK), nn.Conv2d(widths[-2], widths[-1], 4, 2, 1, bias=biased)
    )
    return [outermost, *middle, innermost]


def _ups(
    widths: list[int],
    out_channels: int,
    *,
    norm: Callable[[int], nn.Module],
    biased: bool,
    dropout: float,
) -> list[nn.Module]:
    def up(wide: int, narrow: int, share: float) -> nn.Module:
        layers = [
            nn.ReLU(),
            nn.ConvTranspose2d(wide, narrow, 4, 2, 1, bias=biased),
            norm(narrow),
        ]
        return nn.Sequential(*layers, *([Dropout(share)] if share else []))

    innermost = up(widths[-1], widths[-2], 0.0)
    middle = [
        up(2 * wide, narrow, dropout if place < 3 else 0.0)
        for place, (narrow, wide) in enumerate(
            zip(reversed(widths[:-2]), reversed(widths[1:-1]), strict=True)
        )
    ]
    outermost = nn.Sequential(
        nn.ReLU(), nn.ConvTranspose2d(2 * widths[0], out_channels, 4, 2, 1), nn.Tanh()
    )
    return [innermost, *middle, outermost]
