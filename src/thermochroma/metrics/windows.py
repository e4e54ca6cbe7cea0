"""Structural similarity from means over Gaussian windows (Wang et al. 2004), one channel at a time.

Means and variances of a channel's windows are kept, since several scores compare one image with several
others. Levels are counted from the middle of their range: a variance is a difference of large numbers,
and in fp32 those are a quarter as large this way.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final, TypeAlias

import cv2
import numpy as np
from jaxtyping import Float32, UInt8

PEAK: Final = 255.0
MIDDLE: Final = np.float32(PEAK / 2)
K1, K2 = 0.01, 0.03
C1, C2 = np.float32((K1 * PEAK) ** 2), np.float32((K2 * PEAK) ** 2)
REACH: Final = 5
"""Distance in pixels from the middle of a window to its end."""
SIGMA: Final = 1.5
KERNEL: Final = cv2.getGaussianKernel(2 * REACH + 1, SIGMA, cv2.CV_32F)
SCALE_WEIGHTS: Final = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)
"""Weights of MS-SSIM's scales, the finest first (Wang, Simoncelli and Bovik 2003)."""

Plane: TypeAlias = Float32[np.ndarray, "h w"]
"""Array of one value per pixel or window; windows within `REACH` of the border are never read."""


@dataclass(frozen=True, eq=False)
class Windows:
    """One channel and the statistics of its windows. levels: counted from the middle of their range."""

    levels: Plane

    @cached_property
    def mean(self) -> Plane:
        """Mean of the levels."""
        return window_means(self.levels)

    @cached_property
    def spread(self) -> Plane:
        """Variance plus half of the constant that prevents division by zero in flat windows."""
        spread = window_means(self.levels * self.levels)
        spread -= self.mean * self.mean
        spread += C2 / 2
        return spread

    @cached_property
    def brightness(self) -> Plane:
        """Squared mean of 8-bit levels, plus half of the constant for black windows."""
        brightness = self.mean + MIDDLE
        brightness *= brightness
        brightness += C1 / 2
        return brightness

    def part(self, *there: slice) -> "Windows":
        """Rectangle of the channel, by rows and columns. Its windows are among those of the whole."""
        found = Windows(self.levels[there])
        known = {name: getattr(self, name)[there] for name in ("mean", "spread", "brightness")}
        found.__dict__.update(known)  # the place where cached properties keep their values
        return found

    def halved(self) -> "Windows":
        """Means of 2x2 pixels; an odd last row or column is doubled first."""
        odd_height, odd_width = (side % 2 for side in self.levels.shape)
        even = cv2.copyMakeBorder(
            self.levels, 0, odd_height, 0, odd_width, borderType=cv2.BORDER_REPLICATE
        )
        size = (even.shape[1] // 2, even.shape[0] // 2)
        return Windows(cv2.resize(even, size, interpolation=cv2.INTER_AREA))


Channels: TypeAlias = Sequence[Windows]
"""Channels of one image."""


def windows_of(image: UInt8[np.ndarray, "c h w"]) -> Channels:
    """Channels of an 8-bit image, ready for `ssim_of`."""
    return [Windows(channel - MIDDLE) for channel in image]


def ssim_of(one: Channels, other: Channels) -> float:
    """SSIM in [-1, 1], mean of the channels. L = 255."""
    return float(np.mean([likeness(*pair)[0] for pair in zip(one, other, strict=True)]))


def ssim_and_ms_ssim_of(one: Channels, other: Channels) -> tuple[float, float]:
    """SSIM and MS-SSIM; the finest of its five scales is that of SSIM. Means of the channels. L = 255."""
    found = [_at_all_scales(*pair) for pair in zip(one, other, strict=True)]
    ssim, ms_ssim = np.mean(found, axis=0)
    return float(ssim), float(ms_ssim)


def likeness(one: Windows, other: Windows) -> tuple[float, float]:
    """SSIM of one channel, in [-1, 1], and its factor of contrast and structure: means over windows."""
    contrast = window_means(one.levels * other.levels)
    contrast -= one.mean * other.mean
    contrast *= 2
    contrast += C2
    contrast /= one.spread + other.spread
    # (2 x y + c) / (x^2 + y^2 + c) is 1 - (x - y)^2 / (x^2 + y^2 + c)
    loss = one.mean - other.mean
    loss *= loss
    loss /= one.brightness + other.brightness
    loss *= contrast
    inner = _mean(contrast)
    return inner - _mean(loss), inner


def window_means(plane: Plane) -> Plane:
    """Gaussian means over 11x11 pixels."""
    return cv2.sepFilter2D(plane, -1, KERNEL, KERNEL)


def _at_all_scales(one: Windows, other: Windows) -> tuple[float, float]:
    """SSIM and MS-SSIM of one channel. A factor below 0 counts as 0: its powers are not defined."""
    ssim, contrast = likeness(one, other)
    factors = [contrast]
    for scale in range(1, len(SCALE_WEIGHTS)):
        one, other = one.halved(), other.halved()
        whole, contrast = likeness(one, other)
        factors.append(whole if scale == len(SCALE_WEIGHTS) - 1 else contrast)
    return ssim, float(np.prod(np.maximum(factors, 0) ** np.array(SCALE_WEIGHTS)))


def _mean(windows: Plane) -> float:
    """Mean over the windows inside the image, summed in float64."""
    return cv2.mean(windows[REACH:-REACH, REACH:-REACH])[0]
