"""Likeness of colour: CIEDE2000, the a* and b* channels, colourfulness. One value a picture.

8-bit sRGB goes to CIE L*a*b* under D65 (2 degree observer) with the numbers of IEC 61966-2-1.
"""

from typing import Final

import torch
from jaxtyping import Float, UInt8
from torch import Tensor

from thermochroma.colour_space import lab_of_linear, linear_of
from thermochroma.metrics.fidelity import decibels

PEAK_AB: Final = 255.0
"""a* and b* span -128 to 127 where they are kept in 8 bits."""
CHROMA_BEND: Final = 25.0**7


def lab(pictures: UInt8[Tensor, "b 3 h w"]) -> Float[Tensor, "b 3 h w"]:
    """8-bit sRGB to CIE L* (0 to 100), a*, b*, fp32 (errors of 1e-4 at most)."""
    return lab_of_linear(_linear_of_level(pictures.device)[pictures.int()])


def mean_ciede2000(
    painted_lab: Float[Tensor, "b 3 h w"], truth_lab: Float[Tensor, "b 3 h w"]
) -> Float[Tensor, " b"]:
    """Mean over pixels of the CIEDE2000 difference of L*a*b* pictures; about 2 is just noticed."""
    return ciede2000(painted_lab, truth_lab).flatten(1).mean(1, dtype=torch.float64)


def ciede2000(
    one: Float[Tensor, "b 3 h w"], other: Float[Tensor, "b 3 h w"]
) -> Float[Tensor, "b h w"]:
    """CIEDE2000 of each pixel (CIE 142-2001; Sharma, Wu and Dalal 2005), k_L = k_C = k_H = 1."""
    lightness, chroma, hue = _polar(one, other)
    between = (lightness[0] + lightness[1]) / 2
    mean_chroma = (chroma[0] + chroma[1]) / 2
    mean_hue = _mean_hue(chroma, hue)
    off_grey = (between - 50).square()
    s_l = 1 + 0.015 * off_grey / (20 + off_grey).sqrt()
    s_c = 1 + 0.045 * mean_chroma
    s_h = 1 + 0.015 * mean_chroma * _hue_weight(mean_hue)
    d_l = (lightness[1] - lightness[0]) / s_l
    d_c = (chroma[1] - chroma[0]) / s_c
    # 2 sqrt(C1 C2) sin(dh / 2) needs no case for turns past 180 degrees: only its sign would
    # change, which the rotation term must not see; the remainder takes dh into [-pi, pi).
    turn = torch.remainder(hue[1] - hue[0] + torch.pi, 2 * torch.pi) - torch.pi
    d_h = 2 * (chroma[0] * chroma[1]).sqrt() * torch.sin(turn / 2) / s_h
    rotation = _rotation(mean_chroma, mean_hue)
    return (d_l * d_l + d_c * d_c + d_h * d_h + rotation * d_c * d_h).clamp(min=0).sqrt()


def psnr_ab(
    painted_lab: Float[Tensor, "b 3 h w"], truth_lab: Float[Tensor, "b 3 h w"]
) -> Float[Tensor, " b"]:
    """PSNR in dB of the a* and b* channels together, peak 255: colour without lightness."""
    difference = painted_lab[:, 1:] - truth_lab[:, 1:]
    return decibels(difference.square().flatten(1).mean(1, dtype=torch.float64), PEAK_AB)


def colourfulness(pictures: UInt8[Tensor, "b 3 h w"]) -> Float[Tensor, " b"]:
    """How colourful a picture is, 0 for grey (Hasler and Suesstrunk 2003, M^(3)), 8-bit levels."""
    red, green, blue = pictures.to(torch.int32).flatten(2).unbind(1)
    opponents = torch.stack([2 * (red - green), red + green - 2 * blue], dim=1)  # twice the levels
    mean = opponents.sum(-1).double() / opponents.shape[-1]
    mean_square = (opponents * opponents).sum(-1).double() / opponents.shape[-1]
    spread = (mean_square - mean * mean).sum(1).clamp(min=0).sqrt()
    return (spread + 0.3 * mean.square().sum(1).sqrt()) / 2


def colourfulness_difference(
    painted: UInt8[Tensor, "b 3 h w"], truth: UInt8[Tensor, "b 3 h w"]
) -> Float[Tensor, " b"]:
    """Size of the difference of the two pictures' colourfulness; pale and garish count alike."""
    return (colourfulness(painted) - colourfulness(truth)).abs()


def luma(pictures: UInt8[Tensor, "b c h w"]) -> Float[Tensor, "b h w"]:
    """Rec. 601 luma of 8-bit sRGB, 0 to 255, not rounded, float64; one channel is its own."""
    if pictures.shape[1] == 1:
        return pictures[:, 0].double()
    weights = torch.tensor([0.299, 0.587, 0.114], dtype=torch.float64, device=pictures.device)
    return torch.einsum("c,bchw->bhw", weights, pictures.double())


def _linear_of_level(device: torch.device) -> Float[Tensor, "256"]:
    return linear_of(torch.arange(256, dtype=torch.float64, device=device) / 255).float()


_Pair = tuple[Float[Tensor, "b h w"], Float[Tensor, "b h w"]]


def _polar(
    one: Float[Tensor, "b 3 h w"], other: Float[Tensor, "b 3 h w"]
) -> tuple[_Pair, _Pair, _Pair]:
    """Lightness, chroma and hue (radians in [0, 2 pi)) of both, a* stretched near grey."""
    plain = (torch.hypot(one[:, 1], one[:, 2]) + torch.hypot(other[:, 1], other[:, 2])) / 2
    stretch = 1 + 0.5 * (1 - _bend(plain))
    reds = (one[:, 1] * stretch, other[:, 1] * stretch)
    chroma = (torch.hypot(reds[0], one[:, 2]), torch.hypot(reds[1], other[:, 2]))
    hue = (_angle(reds[0], one[:, 2]), _angle(reds[1], other[:, 2]))
    return (one[:, 0], other[:, 0]), chroma, hue


def _angle(a: Float[Tensor, "b h w"], b: Float[Tensor, "b h w"]) -> Float[Tensor, "b h w"]:
    return torch.remainder(torch.atan2(b, a), 2 * torch.pi)


def _bend(chroma: Float[Tensor, "b h w"]) -> Float[Tensor, "b h w"]:
    square = chroma * chroma
    power = square * square * square * chroma
    return (power / (power + CHROMA_BEND)).sqrt()


def _mean_hue(chroma: _Pair, hue: _Pair) -> Float[Tensor, "b h w"]:
    """The mean angle on the shorter arc; where one of the two is grey, the other's hue alone."""
    total = hue[0] + hue[1]
    far = (hue[0] - hue[1]).abs() > torch.pi
    across = torch.where(total < 2 * torch.pi, 2 * torch.pi, -2 * torch.pi)
    mean = (total + torch.where(far, across, torch.zeros_like(total))) / 2
    return torch.where(chroma[0] * chroma[1] == 0, total, mean)


def _hue_weight(hue: Float[Tensor, "b h w"]) -> Float[Tensor, "b h w"]:
    """T of the standard."""
    radians = torch.pi / 180
    return (
        1
        - 0.17 * torch.cos(hue - 30 * radians)
        + 0.24 * torch.cos(2 * hue)
        + 0.32 * torch.cos(3 * hue + 6 * radians)
        - 0.20 * torch.cos(4 * hue - 63 * radians)
    )


def _rotation(
    chroma: Float[Tensor, "b h w"], hue: Float[Tensor, "b h w"]
) -> Float[Tensor, "b h w"]:
    """R_T of the standard: in the blues, chroma and hue differences are not independent."""
    degrees = hue * 180 / torch.pi
    theta = torch.exp(-((degrees - 275) / 25).square()) * torch.pi / 3
    return -torch.sin(theta) * 2 * _bend(chroma)
