"""Images of the page: small files of their own, so that a browser loads only those that it shows."""

from pathlib import Path
from typing import Final

import cv2
import numpy as np
from jaxtyping import UInt8
from PIL import Image

from thermochroma.base.images import ThermalImage

QUALITY: Final = 85
SUFFIX: Final = ".webp"
EDGE_COLOUR: Final = (255, 225, 0, 255)
RIM_COLOUR: Final = (0, 0, 0, 150)
"""Colour of a rim around each edge, which makes it visible on dark and on bright ground."""
SIGMA: Final = 1.5
THRESHOLDS: Final = (40, 100)
"""Thresholds of Canny's detector on the blurred thermal image: for display only, in no score."""


def image_name(place: int) -> str:
    """File name of the n-th frame of a gallery."""
    return f"{place:03d}{SUFFIX}"


def save_image(image: UInt8[np.ndarray, "h w *c"], path: Path) -> None:
    """Write one image of one channel or three; the loss is not visible at the size shown."""
    plain = image[..., 0] if image.ndim == 3 and image.shape[-1] == 1 else image
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.ascontiguousarray(plain)).convert("RGB").save(path, quality=QUALITY)


def save_edges(thermal: ThermalImage, path: Path) -> None:
    """Write the edges of a thermal image on a transparent ground, as an overlay for other images."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(edges_of(thermal)).save(path, lossless=True)


def edges_of(thermal: ThermalImage) -> UInt8[np.ndarray, "h w 4"]:
    """Draw edges in red, green, blue and opacity: opaque lines of one pixel in a half-transparent rim."""
    blurred = cv2.GaussianBlur(np.ascontiguousarray(thermal), (0, 0), SIGMA)
    lines = cv2.Canny(blurred, *THRESHOLDS) > 0
    rim = cv2.dilate(lines.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
    overlay = np.zeros((*thermal.shape, 4), np.uint8)
    overlay[rim] = RIM_COLOUR
    overlay[lines] = EDGE_COLOUR
    return overlay
