"""Features that both spectra share: the direction of edges, whichever side is the brighter one.

Thermal and visible images show the same outlines with either contrast, so every feature here is equal
for an image and for its negative. All are computed on grey images already scaled to a working size.
"""

from typing import Final, TypeAlias

import cv2
import numpy as np
from jaxtyping import Float32, Float64, UInt8

from thermochroma.data.registration.geometry import Size

Grey: TypeAlias = Float32[np.ndarray, "h w"]
"""An image in grey levels, 0 to 255."""
Directions: TypeAlias = Float32[np.ndarray, "h w 3"]
"""Normalised gradient field (NGF): cosine and sine of the doubled angle, and edge strength."""
Channels: TypeAlias = Float32[np.ndarray, "h w 6"]
"""Channels of oriented gradients (CFOG), one per direction; at most unit length at each pixel."""

BINS: Final = 6
EDGE: Final = 2.0  # grey levels per pixel: noise of 5 levels stays below it after the blur


def grey(
    image: UInt8[np.ndarray, "raw_h raw_w"] | UInt8[np.ndarray, "raw_h raw_w 3"], size: Size
) -> Grey:
    """Convert an image to grey levels (0 to 255), scaled to `size`."""
    flat = image if image.ndim == 2 else cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
    shrinks = size[0] < flat.shape[1]
    how = cv2.INTER_AREA if shrinks else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(flat.astype(np.float32), size, interpolation=how))


def halved(image: Float32[np.ndarray, "h w ..."]) -> Float32[np.ndarray, "_ _ ..."]:
    """Halve the size; each pixel is the mean of four."""
    return np.asarray(cv2.resize(image, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA))


def texture(image: Grey) -> float:
    """Share of the pixels on an edge: gradient above `EDGE` after a blur of 1.5 pixels."""
    return float(np.mean(np.hypot(*_gradients(image, blur=1.5)) > EDGE))


def directions(image: Grey, *, blur: float = 1.5) -> Directions:
    """Compute the NGF image: doubling the angle makes an edge and its negative equal.

    Channels (gx^2 - gy^2) / (m + e), 2 gx gy / (m + e), m / (m + e), where m = gx^2 + gy^2 and e is
    half its mean, so that clear edges count as one and noise as nothing. blur: sigma in pixels before
    the gradient; two thirds of it are applied after. A wide blur matches over larger distances, a
    narrow one more precisely.
    """
    x, y = _gradients(image, blur=blur)
    strength = x * x + y * y
    floor = strength + max(float(strength.mean()) / 2, 1e-6)
    stacked = cv2.merge([(x * x - y * y) / floor, 2 * x * y / floor, strength / floor])
    return np.asarray(cv2.GaussianBlur(stacked, (0, 0), blur / 1.5))


def channels(image: Grey) -> Channels:
    """Compute the CFOG channels: |gradient| along each direction, blurred by 1.2 pixels, normalised.

    The blurs suit an image of half the working width.
    """
    x, y = _gradients(image, blur=0.6)
    angles = np.arange(BINS, dtype=np.float32) * np.float32(np.pi / BINS)
    along = [cv2.GaussianBlur(np.abs(np.cos(a) * x + np.sin(a) * y), (0, 0), 1.2) for a in angles]
    stacked = np.stack(along, axis=-1)
    length = np.sqrt(np.einsum("hwb,hwb->hw", stacked, stacked))[..., None]
    return np.asarray(stacked / (length + length.mean() / 4 + 1e-6))


def inner(
    one: Float32[np.ndarray, "*rows values"], other: Float32[np.ndarray, "*or_not values"]
) -> Float64[np.ndarray, "..."]:
    """Sum of products along the last axis; unlike `@`, bitwise equal for any number of threads."""
    return np.asarray(np.sum(one * other, axis=-1), np.float64)


def _gradients(image: Grey, *, blur: float) -> tuple[Grey, Grey]:
    """Central differences along x and y, in grey levels per pixel, after a Gaussian blur."""
    return differences(np.asarray(cv2.GaussianBlur(image, (0, 0), blur)))


def differences(
    image: Float32[np.ndarray, "h w ..."],
) -> tuple[Float32[np.ndarray, "h w ..."], Float32[np.ndarray, "h w ..."]]:
    """Central differences along x and along y, per pixel, for each channel."""
    kernel = np.array([[-0.5, 0.0, 0.5]], np.float32)
    along_x, along_y = cv2.filter2D(image, -1, kernel), cv2.filter2D(image, -1, kernel.T)
    return np.asarray(along_x), np.asarray(along_y)
