"""Cutting of windows out of raw images, with one interpolation.

The thermal image is warped onto the visible one, never the other way round, so that the target
colours are exactly the camera's. Windows lie in the field that both cameras see.
"""

import cv2
import numpy as np
from jaxtyping import UInt8

from thermochroma.base.images import ThermalImage, VisibleImage
from thermochroma.contract.dataset import Matrix
from thermochroma.data.cropping.windows import Window


def cut_thermal(
    thermal: ThermalImage, matrix: Matrix, window: Window
) -> UInt8[np.ndarray, "height width"]:
    """Warp and cut at once: each window pixel is interpolated (cubic) where `matrix` maps it to."""
    scale = 1 / window.zoom
    to_visible = np.array(  # window pixel -> raw visible pixel, both by their centres
        [
            [scale, 0, (window.left + 0.5) * scale - 0.5],
            [0, scale, (window.top + 0.5) * scale - 0.5],
            [0, 0, 1],
        ]
    )
    lookup = matrix @ to_visible
    flags = cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP
    side = (window.width, window.height)
    cut: np.ndarray = cv2.warpAffine(
        thermal, lookup, side, flags=flags, borderMode=cv2.BORDER_REPLICATE
    )
    return cut


def cut_visible(visible: VisibleImage, window: Window) -> UInt8[np.ndarray, "height width 3"]:
    """Cut a window; images that are too small are first enlarged bicubically."""
    if window.zoom > 1:
        height, width = visible.shape[:2]
        enlarged = (round(width * window.zoom), round(height * window.zoom))
        visible = cv2.resize(visible, enlarged, interpolation=cv2.INTER_CUBIC)
    rows = slice(window.top, window.top + window.height)
    return visible[rows, window.left : window.left + window.width]
