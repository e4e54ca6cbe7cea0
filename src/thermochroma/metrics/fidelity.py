"""Likeness pixel by pixel and window by window: PSNR, SSIM, MS-SSIM. One value a picture.

Every function judges 8-bit pictures, peak 255; none changes what it is given.
"""

from typing import Final

import torch
from jaxtyping import Float, Int32, UInt8
from pytorch_msssim import ms_ssim as gaussian_ms_ssim
from pytorch_msssim import ssim as gaussian_ssim
from torch import Tensor

PEAK: Final = 255.0
CAP_DB: Final = 100.0
"""What a perfect picture is given instead of infinity, so that means exist. At 256x256 it is also
what one wrong level in one channel of one pixel gets (101 dB, capped)."""
MS_SSIM_LARGER_THAN: Final = 160
"""MS-SSIM halves a picture four times and lays an 11-pixel window on what is left."""
WINDOW: Final = 7
K1, K2 = 0.01, 0.03


def mean_squared_error(
    painted: UInt8[Tensor, "b c h w"], truth: UInt8[Tensor, "b c h w"]
) -> Float[Tensor, " b"]:
    """Mean of the squared difference over pixels and channels, squared levels, float64."""
    difference = painted.to(torch.int32) - truth.to(torch.int32)
    squares = (difference * difference).flatten(1)
    return squares.sum(1).double() / squares.shape[1]


def decibels(squared_error: Float[Tensor, " b"], peak: float = PEAK) -> Float[Tensor, " b"]:
    """PSNR in dB of a mean squared error: 10 log10(peak^2 / error), at most `CAP_DB`."""
    return (10 * torch.log10(peak**2 / squared_error)).clamp(max=CAP_DB)


def psnr(painted: UInt8[Tensor, "b c h w"], truth: UInt8[Tensor, "b c h w"]) -> Float[Tensor, " b"]:
    """Peak signal-to-noise ratio in dB, peak 255, over all pixels and channels, at most 100."""
    return decibels(mean_squared_error(painted, truth))


def ssim(painted: UInt8[Tensor, "b c h w"], truth: UInt8[Tensor, "b c h w"]) -> Float[Tensor, " b"]:
    """Structural similarity in [-1, 1]: Gaussian window of 11 pixels, sigma 1.5, L = 255.

    In fp32 over windows inside the picture, per channel, then the mean (Wang et al. 2004).
    """
    x, y = _for_windows(painted), _for_windows(truth)
    found: Tensor = gaussian_ssim(x, y, data_range=PEAK, size_average=False)
    return found.double()


def ms_ssim(
    painted: UInt8[Tensor, "b c h w"], truth: UInt8[Tensor, "b c h w"]
) -> Float[Tensor, " b"]:
    """SSIM over five scales in [0, 1] (Wang, Simoncelli and Bovik 2003), window and L as in `ssim`.

    NaN where the smaller side is at most `MS_SSIM_LARGER_THAN` pixels: it is not defined there.
    """
    if min(truth.shape[-2:]) <= MS_SSIM_LARGER_THAN:
        return truth.new_full(truth.shape[:1], torch.nan, dtype=torch.float64)
    x, y = _for_windows(painted), _for_windows(truth)
    found: Tensor = gaussian_ms_ssim(x, y, data_range=PEAK, size_average=False)
    return found.double()


def ssim_7u(
    painted: UInt8[Tensor, "b c h w"], truth: UInt8[Tensor, "b c h w"]
) -> Float[Tensor, " b"]:
    """SSIM as scikit-image computes it by default: uniform 7x7 window, sample covariance, L = 255.

    Everything that is subtracted is a whole number below 2^31 (sums over 49 pixels of 8 bits), so
    nothing cancels; only the last quotients are taken in fp32.
    """
    x, y = painted.to(torch.int32), truth.to(torch.int32)
    sum_x, sum_y = _window_sums(x), _window_sums(y)
    count = WINDOW**2
    squares = sum_x * sum_x + sum_y * sum_y
    product = 2 * sum_x * sum_y
    spread = count * _window_sums(x * x + y * y) - squares
    shared = 2 * count * _window_sums(x * y) - product
    # All four carry count^2; the sample covariance divides by count (count - 1) instead.
    c1, c2 = (K1 * PEAK * count) ** 2, (K2 * PEAK) ** 2 * count * (count - 1)
    similarity = (product + c1) / (squares + c1) * ((shared + c2) / (spread + c2))
    return similarity.flatten(1).mean(1, dtype=torch.float64)


def _window_sums(values: Int32[Tensor, "b c h w"]) -> Int32[Tensor, "b c h2 w2"]:
    """Sums over all square windows that lie inside the picture: one axis, then the other."""
    height, width = (side - WINDOW + 1 for side in values.shape[-2:])
    rows = values[..., :height, :].clone()
    for offset in range(1, WINDOW):
        rows += values[..., offset : offset + height, :]
    sums = rows[..., :width].clone()
    for offset in range(1, WINDOW):
        sums += rows[..., offset : offset + width]
    return sums


def _for_windows(pictures: UInt8[Tensor, "b c h w"]) -> Float[Tensor, "b c h w"]:
    # The Gaussian windows are convolved twice as fast on this layout; the values are the same.
    return pictures.to(torch.float32).contiguous(memory_format=torch.channels_last)
