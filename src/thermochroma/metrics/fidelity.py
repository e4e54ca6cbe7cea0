"""Likeness pixel by pixel and window by window: PSNR, SSIM, MS-SSIM. One value per image.

Every function scores 8-bit images, peak 255; none changes its arguments, and all return float64 on
the CPU.
"""

from collections.abc import Callable, Iterator
from math import log10
from typing import Final

import cv2
import numpy as np
import torch
from jaxtyping import Float, Int32, Shaped, UInt8, UInt16
from torch import Tensor

from thermochroma.metrics.windows import K1, K2, PEAK, ssim_and_ms_ssim_of, ssim_of, windows_of

CAP_DB: Final = 100.0
"""PSNR of a perfect image instead of infinity, so that means exist. At 256x256 an image with one
wrong level in one channel of one pixel gets it too (101 dB, capped)."""
MS_SSIM_LARGER_THAN: Final = 160
"""Side in pixels that an image must exceed: MS-SSIM halves it four times, under an 11-pixel window."""
WINDOW: Final = 7

Image = UInt8[np.ndarray, "c h w"]
Channel = UInt8[np.ndarray, "h w"]


def mean_squared_error(
    prediction: UInt8[Tensor, "b c h w"], truth: UInt8[Tensor, "b c h w"]
) -> Float[Tensor, " b"]:
    """Mean of the squared difference over pixels and channels, squared levels."""
    return each_pair(squared_error_of, prediction, truth)


def decibels(squared_error: Float[Tensor, " b"], peak: float = PEAK) -> Float[Tensor, " b"]:
    """PSNR in dB of a mean squared error: 10 log10(peak^2 / error), at most `CAP_DB`."""
    found = [decibels_of(error, peak) for error in squared_error.tolist()]
    return torch.tensor(found, dtype=torch.float64)


def psnr(
    prediction: UInt8[Tensor, "b c h w"], truth: UInt8[Tensor, "b c h w"]
) -> Float[Tensor, " b"]:
    """Peak signal-to-noise ratio in dB, peak 255, over all pixels and channels, at most 100."""
    return decibels(mean_squared_error(prediction, truth))


def ssim(
    prediction: UInt8[Tensor, "b c h w"], truth: UInt8[Tensor, "b c h w"]
) -> Float[Tensor, " b"]:
    """Structural similarity in [-1, 1]: Gaussian window of 11 pixels, sigma 1.5, L = 255.

    In fp32 over windows inside the image, per channel, then the mean (Wang et al. 2004).
    """
    return each_pair(lambda *pair: ssim_of(*map(windows_of, pair)), prediction, truth)


def ms_ssim(
    prediction: UInt8[Tensor, "b c h w"], truth: UInt8[Tensor, "b c h w"]
) -> Float[Tensor, " b"]:
    """SSIM over five scales in [0, 1] (Wang, Simoncelli and Bovik 2003), window and L as in `ssim`.

    NaN where the smaller side is at most `MS_SSIM_LARGER_THAN` pixels: it is not defined there.
    """

    def of_one(*pair: Image) -> float:
        if not has_five_scales(pair[0]):
            return float("nan")
        return ssim_and_ms_ssim_of(*map(windows_of, pair))[1]

    return each_pair(of_one, prediction, truth)


def ssim_7u(
    prediction: UInt8[Tensor, "b c h w"], truth: UInt8[Tensor, "b c h w"]
) -> Float[Tensor, " b"]:
    """SSIM as scikit-image computes it by default: uniform 7x7 window, sample covariance, L = 255."""
    return each_pair(ssim_7u_of, prediction, truth)


def each_pair(
    score: Callable[[Image, Image], float],
    prediction: UInt8[Tensor, "b c h w"],
    truth: UInt8[Tensor, "b c h w"],
) -> Float[Tensor, " b"]:
    """Score of each image and its truth, image by image: no value depends on the batch."""
    return torch.tensor([score(*pair) for pair in in_pairs(prediction, truth)], dtype=torch.float64)


def in_pairs(
    prediction: UInt8[Tensor, "b c h w"], truth: UInt8[Tensor, "b c h w"]
) -> Iterator[tuple[Image, Image]]:
    """Pairs of a predicted and a true image, as arrays."""
    arrays = (np.ascontiguousarray(batch.cpu().numpy()) for batch in (prediction, truth))
    return zip(*arrays, strict=True)


def has_five_scales(image: Image) -> bool:
    """Whether MS-SSIM is defined for the image."""
    return min(image.shape[-2:]) > MS_SSIM_LARGER_THAN


def squared_error_of(prediction: Image, truth: Image) -> float:
    """Mean squared error of one image; its sum is exact."""
    return round(cv2.norm(_tall(prediction), _tall(truth), cv2.NORM_L2SQR)) / prediction.size


def decibels_of(squared_error: float, peak: float = PEAK) -> float:
    """PSNR in dB of one mean squared error, as in `decibels`."""
    return min(CAP_DB, 10 * log10(peak**2 / squared_error)) if squared_error > 0 else CAP_DB


def ssim_7u_of(prediction: Image, truth: Image) -> float:
    """SSIM of one image as in `ssim_7u`.

    All subtractions are of whole numbers below 2^31 (sums over 49 pixels of 8 bits), so no digits
    cancel; only the last quotients are taken in fp32.
    """
    found = [_ssim_7u_of_channel(*pair) for pair in zip(prediction, truth, strict=True)]
    return float(np.mean(found))


def _ssim_7u_of_channel(prediction: Channel, truth: Channel) -> float:
    x, y = prediction.astype(np.uint16), truth.astype(np.uint16)
    sum_x, sum_y = _window_sums(x), _window_sums(y)
    count, reach = WINDOW**2, WINDOW // 2
    product = sum_x * sum_y
    product += product
    squares = sum_x * sum_x
    squares += sum_y * sum_y
    spread = _window_sums(x * x)
    spread += _window_sums(y * y)
    spread *= count
    spread -= squares
    shared = _window_sums(x * y)
    shared *= 2 * count
    shared -= product
    # All four carry count^2; the sample covariance divides by count (count - 1) instead.
    c1 = np.float32((K1 * PEAK * count) ** 2)
    c2 = np.float32((K2 * PEAK) ** 2 * count * (count - 1))
    similarity = np.add(product, c1, dtype=np.float32)
    similarity /= np.add(squares, c1, dtype=np.float32)
    similarity *= np.add(shared, c2, dtype=np.float32)
    similarity /= np.add(spread, c2, dtype=np.float32)
    return cv2.mean(similarity[reach:-reach, reach:-reach])[0]


def _window_sums(values: UInt16[np.ndarray, "h w"]) -> Int32[np.ndarray, "h w"]:
    """Sums over 7x7 pixels; those within 3 pixels of the border are not valid and never read."""
    return cv2.boxFilter(values, cv2.CV_32S, (WINDOW, WINDOW), normalize=False)


def _tall(planes: Shaped[np.ndarray, "c h w"]) -> Shaped[np.ndarray, "ch w"]:
    """Channels one below the other, for functions of OpenCV."""
    return planes.reshape(-1, planes.shape[-1])
