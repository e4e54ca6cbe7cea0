"""A reference made of an image itself: warped, mirrored, cut into, so that it cannot be copied."""

from functools import lru_cache
from typing import Final

import albumentations as A
import cv2
import numpy as np
from jaxtyping import Float32
from scipy.interpolate import RBFInterpolator

from thermochroma.base.images import VisibleImage

CONTROL: Final = np.array([(y, x) for y in (0, 0.5, 1) for x in (0, 0.5, 1)])
"""Down and across, as shares of the sides."""
REACH: Final = 0.15
"""How far a control point moves at most along either axis, as a share of the side."""
MIRRORED: Final = 0.5
HOLE: Final = 0.5
"""Sides of the hole, as shares of the image's: a quarter of it."""
GREY: Final = 128  # as near as 8 bits come to the middle, which also stands for no reference


def recoloured(image: VisibleImage, *, seed: int) -> VisibleImage:
    """Brightness, contrast and saturation times 0.8 to 1.2, the hue turned by up to 0.02 of a circle."""
    jitter = _jitter()
    jitter.set_random_seed(seed % 2**32)
    return jitter(image=image)["image"]


def own_reference(image: VisibleImage, *, seed: int) -> VisibleImage:
    """The image bent by a thin-plate spline, mirrored or not, with a quarter of it cut out."""
    random = np.random.default_rng(seed)
    bent = warp(image, random.uniform(-REACH, REACH, CONTROL.shape))
    if random.random() < MIRRORED:
        bent = np.ascontiguousarray(bent[:, ::-1])
    height, width = (round(side * HOLE) for side in bent.shape[:2])
    top, left = (int(random.integers(side // 2 + 1)) for side in bent.shape[:2])
    bent[top : top + height, left : left + width] = GREY
    return bent


def warp(image: VisibleImage, moved: np.ndarray) -> VisibleImage:
    """Take each pixel from where a thin-plate spline says, whose control points lie `moved` away.

    moved: 9 by 2, down and across, as shares of the sides. What lies outside is mirrored in.
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
    """What each control point counts at each pixel: the spline is linear in what it is given."""
    rows, columns = np.mgrid[0 : 1 : height * 1j, 0 : 1 : width * 1j]
    pixels = np.stack([rows.ravel(), columns.ravel()], axis=1)
    spline = RBFInterpolator(CONTROL, np.eye(len(CONTROL)), kernel="thin_plate_spline")
    return spline(pixels).astype(np.float32)


@lru_cache(maxsize=1)
def _jitter() -> A.Compose:
    """Built once, since that takes longer than an image; whoever calls it sets the seed first."""
    factors = (0.8, 1.2)
    return A.Compose(
        [
            A.ColorJitter(
                brightness=factors, contrast=factors, saturation=factors, hue=(-0.02, 0.02), p=1
            )
        ]
    )
