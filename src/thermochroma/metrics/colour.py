"""Likeness of colour: CIEDE2000, the a* and b* channels, colourfulness. One value per image.

8-bit sRGB goes to CIE L*a*b* under D65 (2 degree observer) with the numbers of IEC 61966-2-1. Images
are taken one by one, as arrays: an image's intermediate values stay in the processor's cache.
"""

from typing import Final, TypeAlias

import cv2
import numpy as np
import torch
from jaxtyping import Float, Float32, UInt8
from torch import Tensor

from thermochroma.base.colour_space import KNEE, LUMA, OFFSET, SLOPE, WHITE, XYZ_OF_RGB, linear_of
from thermochroma.metrics.fidelity import Image, decibels

PEAK_AB: Final = 255.0
"""Range of a* and b* where they are kept in 8 bits, -128 to 127."""
CHROMA_BEND: Final = 25.0**7
LINEAR: Final = linear_of(torch.arange(256, dtype=torch.float64) / 255).float().numpy()
"""Linear light, 0 to 1, by 8-bit level of sRGB."""
SHARE_OF_WHITE: Final = (np.array(XYZ_OF_RGB) / np.array(WHITE)[:, None]).astype(np.float32)

Lab: TypeAlias = Float32[np.ndarray, "3 h w"]
Field: TypeAlias = Float[np.ndarray, "..."]
"""Array with one value per pixel."""


def lab(images: UInt8[Tensor, "b 3 h w"]) -> Float[Tensor, "b 3 h w"]:
    """Convert 8-bit sRGB to CIE L* (0 to 100), a*, b*, fp32 (errors of 1e-4 at most)."""
    return torch.from_numpy(np.stack([lab_of(image) for image in images.cpu().numpy()]))


def lab_of(image: Image) -> Lab:
    """Convert one image to CIE L*a*b* as `lab` does."""
    tall = np.ascontiguousarray(image).reshape(-1, image.shape[-1])
    linear = cv2.LUT(tall, LINEAR).reshape(3, -1)
    ratio = np.einsum("xc,cp->xp", SHARE_OF_WHITE, linear)
    root = np.cbrt(ratio)
    dark = ratio <= np.float32(KNEE)
    root[dark] = ratio[dark] * np.float32(SLOPE) + np.float32(OFFSET)
    x, y, z = root
    return np.stack([116 * y - 16, 500 * (x - y), 200 * (y - z)]).reshape(image.shape)


def ciede2000(
    one: Float[Tensor, "b 3 h w"], other: Float[Tensor, "b 3 h w"]
) -> Float[Tensor, "b h w"]:
    """CIEDE2000 of each pixel of L*a*b* images; a difference of about 2 is just visible."""
    first, second = (np.moveaxis(batch.cpu().numpy(), 1, 0) for batch in (one, other))
    return torch.from_numpy(ciede2000_of(first, second))


def ciede2000_of(one: Float[np.ndarray, "3 *any"], other: Float[np.ndarray, "3 *any"]) -> Field:
    """CIEDE2000 of L*a*b* (CIE 142-2001; Sharma, Wu and Dalal 2005), k_L = k_C = k_H = 1.

    Hues are kept as unit vectors: their mean on the shorter arc is the direction of their sum, also where
    one of the two is grey and has none, and 2 sin of half their difference the length of their difference.
    """
    (chroma, other_chroma), (hue, other_hue) = _chroma_and_hue(one, other)
    off_grey = (one[0] + other[0]) / 2 - 50
    off_grey *= off_grey
    mean_chroma = (chroma + other_chroma) / 2
    mean_hue = _mean_hue(hue, other_hue)
    d_l = (other[0] - one[0]) / (1 + 0.015 * off_grey / np.sqrt(20 + off_grey))
    d_c = (other_chroma - chroma) / (1 + 0.045 * mean_chroma)
    turned = np.sqrt(_squared_length(other_hue - hue) * chroma * other_chroma)
    turned = np.copysign(turned, hue[0] * other_hue[1] - hue[1] * other_hue[0])
    d_h = turned / (1 + 0.015 * mean_chroma * _hue_weight(*mean_hue))
    squared = d_l * d_l + d_c * d_c + d_h * d_h + _rotation(mean_chroma, *mean_hue) * d_c * d_h
    return np.sqrt(np.maximum(squared, 0))


def mean_ciede2000_of(predicted_lab: Lab, truth_lab: Lab) -> float:
    """Mean over pixels of the CIEDE2000 difference of two L*a*b* images."""
    return float(ciede2000_of(predicted_lab, truth_lab).mean(dtype=np.float64))


def psnr_ab(
    predicted_lab: Float[Tensor, "b 3 h w"], truth_lab: Float[Tensor, "b 3 h w"]
) -> Float[Tensor, " b"]:
    """PSNR in dB of the a* and b* channels together, peak 255: colour without lightness."""
    pairs = zip(predicted_lab.cpu().numpy(), truth_lab.cpu().numpy(), strict=True)
    errors = [squared_error_ab_of(*pair) for pair in pairs]
    return decibels(torch.tensor(errors, dtype=torch.float64), PEAK_AB)


def squared_error_ab_of(predicted_lab: Lab, truth_lab: Lab) -> float:
    """Mean squared error of the a* and b* channels of one image."""
    one, other = (
        np.ascontiguousarray(lab[1:]).reshape(-1, lab.shape[-1])
        for lab in (predicted_lab, truth_lab)
    )
    return cv2.norm(one, other, cv2.NORM_L2SQR) / one.size


def colourfulness(images: UInt8[Tensor, "b 3 h w"]) -> Float[Tensor, " b"]:
    """Colourfulness M^(3) of an image (Hasler and Suesstrunk 2003) in 8-bit levels; 0 for grey."""
    found = [colourfulness_of(image) for image in images.cpu().numpy()]
    return torch.tensor(found, dtype=torch.float64)


def colourfulness_of(image: Image) -> float:
    """Colourfulness of one image as in `colourfulness`; sums are of whole numbers, and exact."""
    red, green, blue = image.reshape(3, -1).astype(np.int16)
    twice = np.stack([2 * (red - green), red + green - 2 * blue]).astype(np.float64)
    mean = twice.mean(axis=1)
    mean_square = np.einsum("op,op->o", twice, twice) / twice.shape[1]
    spread = np.sqrt(max(0.0, (mean_square - mean * mean).sum()))
    return float(spread + 0.3 * np.sqrt((mean * mean).sum())) / 2


def colourfulness_difference(
    prediction: UInt8[Tensor, "b 3 h w"], truth: UInt8[Tensor, "b 3 h w"]
) -> Float[Tensor, " b"]:
    """Absolute difference of the two images' colourfulness: too pale and too colourful count alike."""
    return (colourfulness(prediction) - colourfulness(truth)).abs()


def luma(images: UInt8[Tensor, "b c h w"]) -> Float[Tensor, "b h w"]:
    """Rec. 601 luma of 8-bit sRGB, 0 to 255, not rounded, float64; one channel is its own."""
    if images.shape[1] == 1:
        return images[:, 0].double()
    weights = torch.tensor(LUMA, dtype=torch.float64, device=images.device)
    return torch.einsum("c,bchw->bhw", weights, images.double())


def luma_thousandths_of(image: Image) -> Float32[np.ndarray, "h w"]:
    """Luma of one image (see `luma`) times 1000: whole numbers, exact in fp32."""
    weights = (299, 587, 114) if len(image) == 3 else (1000,)
    pairs = zip(weights, image, strict=True)
    return np.sum([np.float32(weight) * channel for weight, channel in pairs], axis=0)


_Pair = tuple[Field, Field]


def _chroma_and_hue(one: Field, other: Field) -> tuple[_Pair, tuple[Field, Field]]:
    """Chroma and hue of both colours, a* stretched near grey; hue as a unit vector, (0, 0) for grey."""
    plain = (np.sqrt(_squared_length(one[1:])) + np.sqrt(_squared_length(other[1:]))) / 2
    stretch = 1.5 - 0.5 * _bend(plain)
    vectors = [np.stack([lab[1] * stretch, lab[2]]) for lab in (one, other)]
    chroma, other_chroma = (np.sqrt(_squared_length(vector)) for vector in vectors)
    tiny = np.finfo(chroma.dtype).tiny
    hue, other_hue = (
        vector / np.maximum(length, tiny)
        for vector, length in zip(vectors, (chroma, other_chroma), strict=True)
    )
    return (chroma, other_chroma), (hue, other_hue)


def _mean_hue(hue: Field, other: Field) -> Field:
    """Unit vector half-way on the shorter arc; for opposite hues, from the smaller on; any for greys."""
    total = hue + other
    length = np.sqrt(_squared_length(total))
    unclear = length < 4 * np.finfo(length.dtype).eps
    if unclear.any():
        upper = (
            np.copysign(1, hue[1][unclear]) * hue[:, unclear]
        )  # of the two, the hue below 180 degrees
        total[0][unclear], total[1][unclear] = -upper[1], upper[0]
        length[unclear] = 1
    return total / length


def _squared_length(vector: Field) -> Field:
    return vector[0] * vector[0] + vector[1] * vector[1]


def _bend(chroma: Field) -> Field:
    square = chroma * chroma
    power = square * square * square * chroma
    return np.sqrt(power / (power + CHROMA_BEND))


def _hue_weight(cos: Field, sin: Field) -> Field:
    """Weight T of the standard for a hue h, from cos h and sin h."""
    cos_2, sin_2 = 2 * cos * cos - 1, 2 * sin * cos
    cos_3, sin_3 = cos * cos_2 - sin * sin_2, sin * cos_2 + cos * sin_2
    cos_4, sin_4 = 2 * cos_2 * cos_2 - 1, 2 * sin_2 * cos_2
    return (
        1
        - _wave(0.17, -30.0, cos, sin)
        + 0.24 * cos_2
        + _wave(0.32, 6.0, cos_3, sin_3)
        - _wave(0.20, -63.0, cos_4, sin_4)
    )


def _wave(height: float, degrees: float, cos: Field, sin: Field) -> Field:
    """Value of height x cos(angle + degrees)."""
    phase = float(np.radians(degrees))
    return height * float(np.cos(phase)) * cos - height * float(np.sin(phase)) * sin


def _rotation(chroma: Field, cos: Field, sin: Field) -> Field:
    """Rotation R_T of the standard: in blue, differences of chroma and of hue are not independent."""
    degrees = np.arctan2(sin, cos) * (180 / np.pi)
    degrees += 360 * (degrees < 0).astype(degrees.dtype)
    off_blue = (degrees - 275) / 25
    near_nothing = 40  # farther away than that, exp is below 1e-17 and would soon be denormal: slow
    theta = np.exp(-np.minimum(off_blue * off_blue, near_nothing)) * (np.pi / 3)
    return -2 * np.sin(theta) * _bend(chroma)
