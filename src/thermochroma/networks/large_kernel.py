"""Large-kernel blocks and the encoder made of them, after the public code of LKAT-GAN."""

from jaxtyping import Float
from torch import Tensor, nn

from thermochroma.networks.blocks import instance_norm
from thermochroma.networks.exact import ExactConv2d

KERNEL = 13


class LargeKernel(nn.Module):
    """Residual block: a 13x13 depthwise convolution between two 1x1 ones, with instance norms."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.body = nn.Sequential(
            instance_norm(channels),
            nn.Conv2d(channels, channels, 1),
            instance_norm(channels),
            nn.GELU(),
            nn.Conv2d(channels, channels, KERNEL, padding=KERNEL // 2, groups=channels),
            nn.GELU(),
            nn.Conv2d(channels, channels, 1),
            instance_norm(channels),
            nn.GELU(),
        )

    def forward(self, x: Float[Tensor, "b c h w"]) -> Float[Tensor, "b c h w"]:
        return x + self.body(x)


class FeedForward(nn.Module):
    """Residual block: two 1x1 convolutions, `growth` times as wide between them."""

    def __init__(self, channels: int, *, growth: int = 4) -> None:
        super().__init__()
        self.body = nn.Sequential(
            instance_norm(channels),
            nn.Conv2d(channels, growth * channels, 1),
            instance_norm(growth * channels),
            nn.GELU(),
            nn.Conv2d(growth * channels, channels, 1),
            instance_norm(channels),
        )

    def forward(self, x: Float[Tensor, "b c h w"]) -> Float[Tensor, "b c h w"]:
        return x + self.body(x)


def pairs(channels: int, count: int, *, growth: int = 4) -> nn.Sequential:
    """Sequence of `count` pairs of `LargeKernel` and `FeedForward`."""
    return nn.Sequential(
        *(
            block
            for _ in range(count)
            for block in (LargeKernel(channels), FeedForward(channels, growth=growth))
        )
    )


def halve(narrow: int, wide: int, *, kind: type[nn.Conv2d] = nn.Conv2d) -> nn.Sequential:
    """Widen by a 1x1 convolution, then halve the sides by a 3x3 one of stride 2.

    kind: of both convolutions.
    """
    return nn.Sequential(
        kind(narrow, wide, 1),
        instance_norm(wide),
        nn.GELU(),
        kind(wide, wide, 3, 2, 1),
        instance_norm(wide),
        nn.GELU(),
    )


class LargeKernelEncoder(nn.Module):
    """Three stages at 1/2, 1/4 and 1/8 of the sides; `base`, 2 and 4 times `base` channels."""

    def __init__(self, *, in_channels: int, base: int) -> None:
        super().__init__()
        self.to_half = nn.Sequential(halve(in_channels, base, kind=ExactConv2d), pairs(base, 2))
        self.to_quarter = nn.Sequential(halve(base, 2 * base), pairs(2 * base, 6))
        self.to_eighth = nn.Sequential(halve(2 * base, 4 * base), pairs(4 * base, 2))

    def forward(
        self, image: Float[Tensor, "b i h w"]
    ) -> tuple[Float[Tensor, "b c y x"], Float[Tensor, "b c2 y2 x2"], Float[Tensor, "b c4 y4 x4"]]:
        half = self.to_half(image)
        quarter = self.to_quarter(half)
        return half, quarter, self.to_eighth(quarter)
