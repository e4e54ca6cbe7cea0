"""sRGB and CIE L*a*b* as tensors, both ways and with gradients.

D65, 2 degree observer, with the numbers of IEC 61966-2-1 as scikit-image uses them. Scores, losses and
networks share this one conversion.
"""

from typing import Final, TypeAlias

import torch
from jaxtyping import Float
from torch import Tensor

from thermochroma.base.tensors import Visible, at_least_float32, constant, to_unit

Lab: TypeAlias = Float[Tensor, "b 3 h w"]
"""L* from 0 to 100, then a* and b*."""
Linear: TypeAlias = Float[Tensor, "b 3 h w"]
"""Red, green, blue in [0, 1], in proportion to light."""

XYZ_OF_RGB: Final = (
    (0.412453, 0.357580, 0.180423),
    (0.212671, 0.715160, 0.072169),
    (0.019334, 0.119193, 0.950227),
)
RGB_OF_XYZ: Final = torch.linalg.inv(torch.tensor(XYZ_OF_RGB, dtype=torch.float64)).tolist()
WHITE: Final = (0.95047, 1.0, 1.08883)
"""D65, 2 degree observer, Y = 1."""
KNEE: Final = 0.008856
"""Limit, as a share of white, below which a straight line replaces the cube root."""
SLOPE: Final = 7.787
OFFSET: Final = 16 / 116
LUMA: Final = (0.299, 0.587, 0.114)
"""Shares of red, green and blue in the grey of ITU-R BT.601."""


def lab_of(visible: Visible) -> Lab:
    """Convert images in [-1, 1] to L*a*b*, fp32; values outside the range are clamped to it."""
    return lab_of_linear(linear_of(to_unit(at_least_float32(visible)).clamp(0, 1)))


def visible_of(lab: Lab) -> Visible:
    """Convert L*a*b* to images in [-1, 1], fp32; colours outside sRGB are clamped per channel."""
    lightness, a, b = at_least_float32(lab).unbind(1)
    y = (lightness + 16) / 116
    bent = torch.stack([y + a / 500, y, (y - b / 200).clamp(min=0)], dim=1)
    ratio = torch.where(bent > KNEE ** (1 / 3), bent.pow(3), (bent - OFFSET) / SLOPE)
    matrix = constant(RGB_OF_XYZ, ratio) * constant(WHITE, ratio)
    linear = _mixed(matrix, ratio).clamp(0, 1)
    # both sides of `where` have finite gradients everywhere, since NaN times 0 is NaN
    bright = 1.055 * linear.clamp(min=0.0031308).pow(1 / 2.4) - 0.055
    unit = torch.where(linear > 0.0031308, bright, 12.92 * linear)
    return unit * 2 - 1


def linear_of(unit: Float[Tensor, "*shape"]) -> Float[Tensor, "*shape"]:
    """Convert sRGB levels in [0, 1] to linear values in [0, 1], in proportion to light."""
    return torch.where(unit > 0.04045, ((unit + 0.055) / 1.055).pow(2.4), unit / 12.92)


def lab_of_linear(linear: Linear) -> Lab:
    """Convert linear red, green, blue to L*a*b*; errors of 1e-4 at most in fp32."""
    matrix = constant(XYZ_OF_RGB, linear) / constant(WHITE, linear)[:, None]
    ratio = _mixed(matrix, linear)
    root = ratio.clamp(min=KNEE).pow(1 / 3)  # whose gradient at 0 would be infinite
    x, y, z = torch.where(ratio > KNEE, root, SLOPE * ratio + OFFSET).unbind(1)
    return torch.stack([116 * y - 16, 500 * (x - y), 200 * (y - z)], dim=1)


def _mixed(
    matrix: Float[Tensor, "3 3"], channels: Float[Tensor, "b 3 h w"]
) -> Float[Tensor, "b 3 h w"]:
    """Multiply each pixel by the matrix, without autocast, which would do it in half precision."""
    with torch.autocast(channels.device.type, enabled=False):
        return torch.einsum("xc,bchw->bxhw", matrix, channels)


def central_differences(grey: Float[Tensor, "b 1 h w"]) -> Float[Tensor, "b 2 y x"]:
    """Differences of second neighbours, across and down; one pixel less on each side."""
    across = grey[..., 1:-1, 2:] - grey[..., 1:-1, :-2]
    down = grey[..., 2:, 1:-1] - grey[..., :-2, 1:-1]
    return torch.cat([across, down], dim=1)
