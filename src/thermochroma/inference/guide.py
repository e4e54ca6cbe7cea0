"""Whole of a large image for its tiles: they take over its colours, and keep their own detail.

A translator that sees nothing but sky in a tile takes it for something else. In the whole image, scaled
down to the size of a tile, it sees the scene. So the means of a tile's translation over the cells of a
coarse grid are brought to those of the translation of the whole.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
from jaxtyping import Float32, UInt8
from PIL import Image

CELLS: Final = 16  # along a tile's longer side


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
    size = _scaled(height, width, side)
    small = np.asarray(Image.fromarray(image).resize(size[::-1], Image.Resampling.BOX))
    return Guide(predictor(small[None], reference, sharpness=sharpness)[0], height, width)


def _scaled(height: int, width: int, side: int) -> tuple[int, int]:
    """Height and width in the same proportion, the longer one `side`."""
    longer = max(height, width)
    return max(1, round(side * height / longer)), max(1, round(side * width / longer))


def _resized(
    image: np.ndarray,
    size: tuple[int, int],
    how: Image.Resampling,
    box: tuple[float, float, float, float] | None = None,
) -> Float32[np.ndarray, "h w d"]:
    """Scale an image, or the part of it in `box`, to a height and width, in floats."""
    planes = np.moveaxis(image.astype(np.float32), -1, 0)
    scaled = (Image.fromarray(one).resize(size[::-1], how, box=box) for one in planes)
    return np.stack([np.asarray(one) for one in scaled], axis=-1)
