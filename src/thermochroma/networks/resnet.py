"""The residual translator of CycleGAN (Zhu et al., ICCV 2017), after Johnson et al. 2016."""

from jaxtyping import Float
from torch import Tensor, nn

from thermochroma.networks.blocks import instance_norm


class ResidualBlock(nn.Module):
    """Residual block: two 3x3 convolutions, reflection-padded, instance norm; no ReLU after the sum."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.ReflectionPad2d(1),
            nn.Conv2d(channels, channels, 3),
            instance_norm(channels),
            nn.ReLU(),
            nn.ReflectionPad2d(1),
            nn.Conv2d(channels, channels, 3),
            instance_norm(channels),
        )

    def forward(self, x: Float[Tensor, "b c h w"]) -> Float[Tensor, "b c h w"]:
        return x + self.body(x)


class ResNet(nn.Module):
    """Stem, two halvings, `blocks` residual blocks, two doublings, head. Output in [-1, 1] by tanh.

    Input sides are multiples of 4.
    """

    def __init__(self, *, in_channels: int, out_channels: int, blocks: int, base: int) -> None:
        super().__init__()
        self.body = nn.Sequential(
            *stem(in_channels, base),
            *halving(base, 2 * base),
            *halving(2 * base, 4 * base),
            *(ResidualBlock(4 * base) for _ in range(blocks)),
            *doubling(4 * base, 2 * base),
            *doubling(2 * base, base),
            *head(base, out_channels),
        )

    def forward(self, x: Float[Tensor, "b i h w"]) -> Float[Tensor, "b o h w"]:
        return self.body(x)


def stem(in_channels: int, base: int) -> list[nn.Module]:
    """First layers: convolution 7x7, reflection-padded, instance norm, ReLU."""
    return [nn.ReflectionPad2d(3), nn.Conv2d(in_channels, base, 7), instance_norm(base), nn.ReLU()]


def halving(narrow: int, wide: int) -> list[nn.Module]:
    """Convolution 3x3 with stride 2, instance norm, ReLU."""
    return [nn.Conv2d(narrow, wide, 3, 2, 1), instance_norm(wide), nn.ReLU()]


def doubling(wide: int, narrow: int) -> list[nn.Module]:
    """Transposed convolution 3x3 with stride 2, instance norm, ReLU."""
    convolution = nn.ConvTranspose2d(wide, narrow, 3, 2, 1, output_padding=1)
    return [convolution, instance_norm(narrow), nn.ReLU()]


def head(base: int, out_channels: int) -> list[nn.Module]:
    """Last layers: convolution 7x7, reflection-padded, tanh."""
    return [nn.ReflectionPad2d(3), nn.Conv2d(base, out_channels, 7), nn.Tanh()]
