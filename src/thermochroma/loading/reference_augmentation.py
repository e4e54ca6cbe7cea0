"""A reference made from the target itself: warped, mirrored, a part cut out, so that it is no copy."""

from functools import lru_cache
from typing import Final

import albumentations as A
import cv2
import numpy as np
from jaxtyping import Float32

from thermochroma.base.images import VisibleImage

CONTROL: Final = np.array([(y, x) for y in (0, 0.5, 1) for x in (0, 0.5, 1)])
"""Control points of the spline (9 by 2): down and across, as shares of the sides."""
REACH: Final = 0.15
"""Greatest move of a control point along either axis, as a share of the side."""
MIRRORED: Final = 0.5
HOLE: Final = 0.5
"""Sides of the hole, as shares of the image's: a quarter of its area."""
GREY: Final = 128  # the 8-bit level nearest to the middle, which also means no reference


def recoloured(image: VisibleImage, *, seed: int) -> VisibleImage:
    """Jitter the colours: brightness, contrast, saturation times 0.8 to 1.2, hue by up to 0.02 turns."""
    jitter = _jitter()
    jitter.set_random_seed(seed % 2**32)
    return jitter(image=image)["image"]


def own_reference(image: VisibleImage, *, seed: int) -> VisibleImage:
    """Warp an image by a thin-plate spline, mirror it or not, and cut out a quarter of it."""
    random = np.random.default_rng(seed)
    bent = warp(image, random.uniform(-REACH, REACH, CONTROL.shape))
    if random.random() < MIRRORED:
        bent = np.ascontiguousarray(bent[:, ::-1])
    height, width = (round(side * HOLE) for side in bent.shape[:2])
    top, left = (int(random.integers(side // 2 + 1)) for side in bent.shape[:2])
    bent[top : top + height, left : left + width] = GREY
    return bent


def warp(image: VisibleImage, moved: np.ndarray) -> VisibleImage:
    """Warp an image by the thin-plate spline whose control points are displaced by `moved`.

    moved: 9 by 2, down and across, as shares of the sides. Beyond its borders the image is mirrored.
    """
    height, width = image.shape[:2]
    scale = np.array([height - 1, width - 1])
    source = _cardinals(height, width) @ ((CONTROL + moved) * scale).astype(np.float32)
    down, across = source.reshape(height, width, 2).transpose(2, 0, 1)
    return cv2.remap(
        image,
        np.ascontiguousarray(across),
        np.ascontiguousarray(down),
        cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_REFLECT_101,
    )


@lru_cache(maxsize=4)
def _cardinals(height: int, width: int) -> Float32[np.ndarray, "pixels 9"]:
    """Weight of each control point at each pixel: the spline is linear in the displacements."""
    from scipy.interpolate import RBFInterpolator  # here: slow, and few methods see references

    rows, columns = np.mgrid[0 : 1 : height * 1j, 0 : 1 : width * 1j]
    pixels = np.stack([rows.ravel(), columns.ravel()], axis=1)
    spline = RBFInterpolator(CONTROL, np.eye(len(CONTROL)), kernel="thin_plate_spline")
    return spline(pixels).astype(np.float32)


@lru_cache(maxsize=1)
def _jitter() -> A.Compose:
    """Build the jitter once, since that takes longer than an image; the caller sets the seed first."""
    factors = (0.8, 1.2)
    return A.Compose(
        [
            A.ColorJitter(
                brightness=factors, contrast=factors, saturation=factors, hue=(-0.02, 0.02), p=1
            )
        ]
    )
