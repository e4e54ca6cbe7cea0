"""Whole of a large image for its tiles: they take over its colours, and keep their own detail.

A translator that sees nothing but sky in a tile takes it for something else. In the whole image, scaled
down to the size of a tile, it sees the scene. So the means of a tile's translation over the cells of a
coarse grid are brought to those of the translation of the whole.

A translator that looks no further than its neighbourhood needs no guide: its tiles agree by themselves,
and the small image, whose details are smaller, would only bring it off its colours. Which of the two a
translator is, its parts and its half of the small image tell.
"""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import product
from typing import Final

import numpy as np
from jaxtyping import Float32, UInt8
from PIL import Image

Box = tuple[float, float, float, float]  # left, top, right, bottom

CELLS: Final = 16  # along a tile's longer side
AGREE: Final = 3.0  # grey levels by which parts may differ from the whole and still be called alike


@dataclass(frozen=True, eq=False)
class Guide:
    """Translation of a whole image of `height` by `width`, scaled down to the size of a tile."""

    translated: UInt8[np.ndarray, "y x d"]
    height: int
    width: int

    def corrected(
        self, tile: UInt8[np.ndarray, "h w d"], top: int, left: int
    ) -> Float32[np.ndarray, "h w d"]:
        """Give the tile whose first pixel is at (top, left) the colours that the whole has there."""
        high, wide = tile.shape[:2]
        grid = _scaled(high, wide, CELLS)
        down, across = self.translated.shape[0] / self.height, self.translated.shape[1] / self.width
        here = (left * across, top * down, (left + wide) * across, (top + high) * down)
        wanted = _resized(self.translated, grid, Image.Resampling.BOX, here)
        found = _resized(tile, grid, Image.Resampling.BOX)
        return tile + _resized(wanted - found, (high, wide), Image.Resampling.BICUBIC)


def guide_for(
    predictor: Callable[..., UInt8[np.ndarray, "n h w d"]],
    image: UInt8[np.ndarray, "h w *c"],
    reference: UInt8[np.ndarray, "1 y x 3"] | None,
    *,
    side: int,
    sharpness: float,
) -> Guide:
    """Translate the whole image at the size of one of its tiles, `side` pixels at most."""
    height, width = image.shape[:2]
    small = _scaled_down(image, side)
    return Guide(predictor(small[None], reference, sharpness=sharpness)[0], height, width)


@dataclass(frozen=True)
class Compared:
    """Mean differences, in grey levels, of the means over cells of the small image's translations.

    parts: of its four quarters, each translated by itself, from the whole of it, in their middles, for
    borders always differ: what tiles lack. half: of the small image at half its size from itself: what a
    guide brings that no tile asked for.
    """

    parts: float
    half: float

    @property
    def call_for_a_guide(self) -> bool:
        """Whether tiles would be seen as such without a guide, or lose nothing by it."""
        return self.parts >= min(AGREE, self.half / 2)


def helpful_guide_for(
    predictor: Callable[..., UInt8[np.ndarray, "n h w d"]],
    image: UInt8[np.ndarray, "h w *c"],
    reference: UInt8[np.ndarray, "1 y x 3"] | None,
    *,
    side: int,
    sharpness: float,
) -> Guide | None:
    """Make a guide as `guide_for` does; None if tiles agree well enough without, and keep truer colours."""
    guide = guide_for(predictor, image, reference, side=side, sharpness=sharpness)
    compared = compare(guide, predictor, image, reference, sharpness=sharpness)
    return guide if compared.call_for_a_guide else None


def compare(
    guide: Guide,
    predictor: Callable[..., UInt8[np.ndarray, "n h w d"]],
    image: UInt8[np.ndarray, "h w *c"],
    reference: UInt8[np.ndarray, "1 y x 3"] | None,
    *,
    sharpness: float,
) -> Compared:
    """Translate the quarters and the half of the small image that `guide` translates."""

    def translated(part: UInt8[np.ndarray, "y x *c"]) -> UInt8[np.ndarray, "y x d"]:
        return predictor(np.ascontiguousarray(part)[None], reference, sharpness=sharpness)[0]

    whole = guide.translated
    side = max(whole.shape[:2])
    small = _scaled_down(image, side)
    high, wide = (max(1, length // 2) for length in small.shape[:2])
    middle = (wide / 4, high / 4, 3 * wide / 4, 3 * high / 4)
    parts = []
    for top, left in product((0, small.shape[0] - high), (0, small.shape[1] - wide)):
        found = translated(small[top : top + high, left : left + wide])
        there = (left + middle[0], top + middle[1], left + middle[2], top + middle[3])
        parts.append(_difference(found, whole, CELLS // 4, middle, there))
    half = translated(_scaled_down(image, side // 2))
    return Compared(float(np.mean(parts)), _difference(half, whole, CELLS))


def _scaled_down(image: UInt8[np.ndarray, "h w *c"], side: int) -> UInt8[np.ndarray, "y x *c"]:
    size = _scaled(image.shape[0], image.shape[1], side)
    return np.asarray(Image.fromarray(image).resize(size[::-1], Image.Resampling.BOX))


def _difference(
    one: np.ndarray,
    other: np.ndarray,
    cells: int,
    of_one: Box | None = None,
    of_other: Box | None = None,
) -> float:
    """Mean absolute difference of the means over cells, so many along the longer side, in parts of both."""
    grid = _scaled(one.shape[0], one.shape[1], cells)
    means = [
        _resized(image, grid, Image.Resampling.BOX, box)
        for image, box in ((one, of_one), (other, of_other))
    ]
    return float(np.abs(means[0] - means[1]).mean())


def _scaled(height: int, width: int, side: int) -> tuple[int, int]:
    """Height and width in the same proportion, the longer one `side`."""
    longer = max(height, width)
    return max(1, round(side * height / longer)), max(1, round(side * width / longer))


def _resized(
    image: np.ndarray,
    size: tuple[int, int],
    how: Image.Resampling,
    box: Box | None = None,
) -> Float32[np.ndarray, "h w d"]:
    """Scale an image, or the part of it in `box`, to a height and width, in floats."""
    planes = np.moveaxis(image.astype(np.float32), -1, 0)
    scaled = (Image.fromarray(one).resize(size[::-1], how, box=box) for one in planes)
    return np.stack([np.asarray(one) for one in scaled], axis=-1)
