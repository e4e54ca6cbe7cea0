"""Edge maps of training images, each found in the image itself and never in its partner.

They are computed once and kept in a folder named after images and settings. Visible: Canny's detector.
Thermal: a stand-in for the multiple-cue inhibition of Yang, Li and Li (IEEE TIP 23(12), 2014), whose
program cannot be a dependency: oriented edges minus the edge strength around them. It keeps that
method's main idea, isotropic surround suppression, and none of its cues (orientation, luminance,
contrast).
"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

import cv2
import numpy as np
from jaxtyping import Float, Int, UInt8
from tqdm import tqdm

from thermochroma.base.images import ThermalImage, VisibleImage
from thermochroma.base.lock import exclusive_lock
from thermochroma.base.sealed import REMEDY
from thermochroma.base.shards import Shard, write_shard
from thermochroma.contract.settings import EdgeSettings
from thermochroma.loading.crops import CropIndex

DETECTOR: Final = 1
"""Version of the detectors: raise it when their maps change, so that old maps are computed anew."""
ORIENTATIONS: Final = 8
SIGMA: Final = 2.0  # pixels, across the edge
ELONGATION: Final = 2.0  # how much longer the filter is along the edge
SURROUND: Final = (8.0, 2.0)  # sigmas of the difference of Gaussians, pixels
FAINTEST: Final = 1e-4
"""Edge strength, for images in [0, 1], below which edges are only rounding errors."""
BRIGHT_QUANTILE: Final = 0.995  # of the remaining edges: the strength that becomes 255

Map = UInt8[np.ndarray, "h w"]
"""An edge map: 0 where there is no edge, 255 at the strongest."""


@dataclass(frozen=True, eq=False)
class EdgeMaps:
    """Edge maps of the frames of `places`, in a folder that `find_edges` has filled."""

    places: CropIndex
    folder: Path

    def of(self, spectrum: str, n: int) -> Map:
        """The edges of the n-th frame's image of one spectrum, memory-mapped."""
        name = self.places.names[self.places.shard[n]]
        return _maps(self.folder / spectrum / name)[self.places.index[n]]


def find_edges(places: CropIndex, folder: Path, settings: EdgeSettings) -> EdgeMaps:
    """Find the edges of every image in the shards of `places`, unless `folder` has them already.

    May be killed at any moment: shards appear whole or not at all.
    """
    detectors = {
        "thermal": THERMAL[settings.thermal],
        "visible": lambda image: visible_edges(image, settings.visible_thresholds),
    }
    with exclusive_lock(folder):
        missing = [
            (spectrum, number)
            for spectrum in detectors
            for number in np.unique(places.shard).tolist()
            if not (folder / spectrum / places.names[number]).exists()
        ]
        for spectrum, number in tqdm(missing, desc="edges", unit="shard", disable=not missing):
            images = Shard(places.folder / spectrum / places.names[number], remedy=REMEDY)
            with ThreadPoolExecutor() as pool:
                maps = list(pool.map(detectors[spectrum], images))
            write_shard(folder / spectrum / places.names[number], maps)
    return EdgeMaps(places, folder)


def visible_edges(image: VisibleImage, thresholds: tuple[float, float]) -> Map:
    """Find Canny's edges of the grey image (Rec. 601); thresholds in levels of OpenCV's L1 gradient."""
    grey = cv2.cvtColor(np.asarray(image), cv2.COLOR_RGB2GRAY)
    return cv2.Canny(grey, *thresholds)


def otsu_edges(image: ThermalImage) -> Map:
    """Find Canny's edges of the smoothed image: Otsu's threshold is the upper one, half of it the lower."""
    smooth = cv2.GaussianBlur(np.asarray(image), (0, 0), 1.4)
    upper, _ = cv2.threshold(smooth, 0, 255, cv2.THRESH_OTSU)
    return cv2.Canny(smooth, upper / 2, upper)


def surround_suppressed(image: ThermalImage) -> Map:
    """Find soft contours: oriented edges minus the mean edge strength around them, thinned to ridges.

    An edge among many similar ones (texture) is suppressed, a single one (a contour) stays. The
    strongest half per cent is 255; a flat image has no edges.
    """
    strength, orientation = _oriented(np.asarray(image, np.float32) / 255)
    left = np.maximum(strength - cv2.filter2D(strength, -1, _surround_kernel()), 0)
    ridges = np.where(_is_ridge(left, orientation) & (left > FAINTEST), left, 0)
    if not (ridges > 0).any():
        return np.zeros(ridges.shape, np.uint8)
    brightest = np.quantile(ridges[ridges > 0], BRIGHT_QUANTILE)
    return (np.clip(ridges / brightest, 0, 1) * 255).round().astype(np.uint8)


def _oriented(
    grey: Float[np.ndarray, "h w"],
) -> tuple[Float[np.ndarray, "h w"], Int[np.ndarray, "h w"]]:
    """The strongest response over all orientations, and the number of its orientation."""
    responses = np.stack([np.abs(cv2.filter2D(grey, -1, kernel)) for kernel in _edge_kernels()])
    return responses.max(axis=0), responses.argmax(axis=0)


def _is_ridge(
    strength: Float[np.ndarray, "h w"], orientation: Int[np.ndarray, "h w"]
) -> np.ndarray:
    """Whether a pixel is no weaker than its two neighbours across the edge."""
    padded = np.pad(strength, 1)
    height, width = strength.shape
    is_ridge = np.zeros(strength.shape, bool)
    for number in range(ORIENTATIONS):
        angle = np.pi * number / ORIENTATIONS
        dx, dy = round(float(np.cos(angle))), round(float(np.sin(angle)))
        before = padded[1 - dy : 1 - dy + height, 1 - dx : 1 - dx + width]
        after = padded[1 + dy : 1 + dy + height, 1 + dx : 1 + dx + width]
        is_ridge |= (orientation == number) & (strength >= before) & (strength >= after)
    return is_ridge


@cache
def _edge_kernels() -> tuple[Float[np.ndarray, "k k"], ...]:
    """First derivatives of elongated Gaussians, across each orientation: zero mean, unit L1 norm."""
    radius = int(3 * SIGMA * ELONGATION)
    y, x = np.mgrid[-radius : radius + 1, -radius : radius + 1].astype(np.float64)
    kernels = []
    for number in range(ORIENTATIONS):
        angle = np.pi * number / ORIENTATIONS
        across = x * np.cos(angle) + y * np.sin(angle)
        along = y * np.cos(angle) - x * np.sin(angle)
        kernel = -across * np.exp(-(across**2 + (along / ELONGATION) ** 2) / (2 * SIGMA**2))
        kernel -= kernel.mean()
        kernels.append((kernel / np.abs(kernel).sum()).astype(np.float32))
    return tuple(kernels)


@cache
def _surround_kernel() -> Float[np.ndarray, "k k"]:
    """Positive part of the wide Gaussian minus the narrow one, scaled to the sum 1."""
    radius = int(3 * SURROUND[0])
    y, x = np.mgrid[-radius : radius + 1, -radius : radius + 1].astype(np.float64)
    square = x**2 + y**2
    wide, narrow = (np.exp(-square / (2 * s**2)) / (2 * np.pi * s**2) for s in SURROUND)
    ring = np.maximum(wide - narrow, 0)
    return (ring / ring.sum()).astype(np.float32)


THERMAL: Final[dict[str, Callable[[ThermalImage], Map]]] = {
    "surround": surround_suppressed,
    "canny_otsu": otsu_edges,
}


@cache
def _maps(path: Path) -> Shard:
    return Shard(path, remedy="remove it, and run the training again: it finds the edges anew")
