"""Translation of large images in overlapping tiles, blended smoothly; memory grows with the tile alone.

A network whose statistics are the whole image's (instance norm, attention over it) sees other statistics
in each tile. Blending turns a step at the border of two tiles into a slope; it cannot make both the same.
What makes them nearly the same is a guide: the whole image, translated at the size of a tile.
"""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import islice
from typing import Final

import numpy as np
from jaxtyping import Float32, UInt8

from thermochroma.base.errors import BadInput
from thermochroma.inference.defaults import TILE, WHOLE
from thermochroma.inference.guide import guide_for, helpful_guide_for
from thermochroma.inference.predictor import refuse_too_large

OVERLAP: Final = 8  # parts of a tile, one of which is the overlap unless it is given
LEAST_TILE: Final = 64
MOST_TILED: Final = 89_478_485
"""Pixels of the largest image in tiles: beyond it, Pillow takes a file for an attack."""


@dataclass(frozen=True)
class Tiling:
    """Division of large images into tiles.

    side: of the tiles; 0 for images in one piece, None for tiles of TILE above WHOLE. overlap: of
    neighbours, at least; None for an eighth of the side. guided: whether tiles take over the colours of the
    whole; None for where that helps. Raises BadInput for numbers that cannot be.
    """

    side: int | None = None
    overlap: int | None = None
    guided: bool | None = None

    def __post_init__(self) -> None:
        side, overlap = TILE if self.side is None else self.side, self.overlap_of()
        if side == 0 and (self.overlap is not None or self.guided is False):
            raise BadInput(
                given=f"--tile 0 with {'--tiles-alone' if self.overlap is None else '--overlap'}",
                needed="tiles that the option can concern; 0 is for none",
                remedy="leave one of the two out",
            )
        if side != 0 and (side < LEAST_TILE or not 0 <= overlap <= side // 2):
            raise BadInput(
                given=f"tiles of {side} pixels overlap by {overlap}",
                needed=f"tiles of at least {LEAST_TILE} pixels, which overlap by at most their half",
                remedy="correct --tile or --overlap; --tile 0 translates in one piece",
            )

    def overlap_of(self) -> int:
        """The least overlap of neighbours in pixels."""
        side = TILE if self.side is None else self.side
        return side // OVERLAP if self.overlap is None else self.overlap

    def side_for(self, width: int, height: int) -> int | None:
        """The side of an image's tiles; None if it goes in one piece."""
        side = self.side
        if side is None:
            side = TILE if width * height > WHOLE else 0
        return side if side and max(width, height) > side else None

    def refuse_too_large(self, width: int, height: int, *, given: str) -> None:
        """Raise BadInput for an image that is too large for the way in which it would go."""
        if self.side_for(width, height) is None:
            refuse_too_large(width, height, given=given)
        elif width * height > MOST_TILED:
            raise BadInput(
                given=f"{given} has {width} by {height} pixels ({width * height / 1e6:.0f} megapixels)",
                needed=f"at most {MOST_TILED / 1e6:.0f} megapixels",
                remedy="scale it down, or cut it into parts",
            )


def settled(
    tiling: Tiling,
    predictor: Callable[..., UInt8[np.ndarray, "n h w d"]],
    image: UInt8[np.ndarray, "h w *c"],
    reference: UInt8[np.ndarray, "1 y x 3"] | None,
    *,
    sharpness: float,
) -> Tiling:
    """Settle by one image whether tiles are guided: those of one video must not differ in that."""
    height, width = image.shape[:2]
    side = tiling.side_for(width, height)
    if side is None or tiling.guided is not None:
        return tiling
    guide = helpful_guide_for(predictor, image, reference, side=side, sharpness=sharpness)
    return replace(tiling, guided=guide is not None)


def translate_tiled(
    predictor: Callable[..., UInt8[np.ndarray, "n h w d"]],
    image: UInt8[np.ndarray, "h w *c"],
    reference: UInt8[np.ndarray, "1 y x 3"] | None,
    *,
    tiling: Tiling,
    sharpness: float = 0.0,
) -> UInt8[np.ndarray, "h w d"]:
    """Translate one image, in tiles if `tiling` says so.

    predictor: a `Predictor`, or what is called like one. Tiles have one size and lie at even distances;
    in floats there is one row of them at a time.
    """
    height, width = image.shape[:2]
    side = tiling.side_for(width, height)
    if side is None:
        return predictor(image[None], reference, sharpness=sharpness)[0]
    overlap = tiling.overlap_of()
    tops, lefts = (_starts(length, side, overlap) for length in (height, width))
    high, wide = min(side, height), min(side, width)
    share = np.outer(_slope(high, overlap), _slope(wide, overlap))[..., None]
    tiles = translated_tiles(predictor, image, reference, tiling=tiling, sharpness=sharpness)
    found: UInt8[np.ndarray, "h w d"] | None = None
    for top, below in zip(tops, [*tops[1:], height], strict=True):
        for _, left, tile in islice(tiles, len(lefts)):
            if found is None:
                found = np.empty((height, width, tile.shape[-1]), np.uint8)
                band = np.zeros((high, width, tile.shape[-1] + 1), np.float32)  # and the weights
            band[:, left : left + wide, :-1] += share * tile
            band[:, left : left + wide, -1:] += share
        assert found is not None
        done = below - top  # no later tile reaches these rows
        found[top:below] = np.rint((band[:done, :, :-1] / band[:done, :, -1:]).clip(0, 255))
        band[: high - done] = band[done:].copy()
        band[high - done :] = 0
    assert found is not None
    return found


def translated_tiles(
    predictor: Callable[..., UInt8[np.ndarray, "n h w d"]],
    image: UInt8[np.ndarray, "h w *c"],
    reference: UInt8[np.ndarray, "1 y x 3"] | None,
    *,
    tiling: Tiling,
    sharpness: float,
) -> Iterator[tuple[int, int, np.ndarray]]:
    """Translate the tiles of an image, row by row: top, left and levels of each, in floats if guided."""
    height, width = image.shape[:2]
    side, overlap = tiling.side_for(width, height), tiling.overlap_of()
    assert side is not None
    guide = None
    if tiling.guided is not False:
        made = guide_for if tiling.guided else helpful_guide_for
        guide = made(predictor, image, reference, side=side, sharpness=sharpness)
    for top in _starts(height, side, overlap):
        for left in _starts(width, side, overlap):
            part = np.ascontiguousarray(image[top : top + side, left : left + side])
            tile = predictor(part[None], reference, sharpness=sharpness)[0]
            yield top, left, tile if guide is None else guide.corrected(tile, top, left)


def _starts(length: int, side: int, overlap: int) -> list[int]:
    """Compute where tiles begin: as few as overlap enough, at even distances, the last one at the end."""
    if length <= side:
        return [0]
    count = math.ceil((length - overlap) / (side - overlap))
    return np.linspace(0, length - side, count).round().astype(int).tolist()


def _slope(length: int, overlap: int) -> Float32[np.ndarray, " n"]:
    """Weights across a tile: from nearly 0 at its ends smoothly up to 1 behind the overlap."""
    place = np.arange(length, dtype=np.float32) + 0.5
    unit = np.minimum(np.minimum(place, length - place) / max(overlap, 1), 1)
    return unit * unit * (3 - 2 * unit) + np.float32(1e-6)
