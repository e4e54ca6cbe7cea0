"""Tiles: nothing but the network's own statistics tells them from one piece."""

import tracemalloc
from collections.abc import Callable

import numpy as np
import pytest

from thermochroma.base.errors import BadInput
from thermochroma.inference.defaults import TILE, WHOLE
from thermochroma.inference.tiles import LEAST_TILE, Tiling, translate_tiled

RAMP = np.add.outer(np.arange(230), np.arange(310)).astype(np.uint8) // 3


class MadeUp:
    """A predictor of thermal from thermal that applies a function, and remembers what it saw."""

    def __init__(self, function: Callable[[np.ndarray], np.ndarray]) -> None:
        self.function, self.shapes = function, list[tuple[int, ...]]()

    def __call__(self, images: np.ndarray, references: object, *, sharpness: float) -> np.ndarray:
        self.shapes.append(images.shape[1:])
        return self.function(images)[..., None]


def _tiled(predictor: MadeUp, image: np.ndarray, side: int | None, overlap: int) -> np.ndarray:
    return translate_tiled(predictor, image, None, tiling=Tiling(side, overlap))[..., 0]


@pytest.mark.parametrize("overlap", [0, 1, 16, 50])
@pytest.mark.parametrize("side", [100, 129, 300, 400])
def test_what_depends_on_the_pixel_alone_comes_out_as_in_one_piece(side: int, overlap: int) -> None:
    predictor = MadeUp(lambda images: 255 - images)
    assert np.array_equal(_tiled(predictor, RAMP, side, overlap), 255 - RAMP)
    assert set(predictor.shapes) == {(min(side, 230), min(side, 310))}


def test_a_step_between_tiles_becomes_a_slope() -> None:
    """The worst case: each tile has a level of its own, 0 or 200."""
    levels = iter(range(1000))
    predictor = MadeUp(lambda images: np.full_like(images, 200 * (next(levels) % 2)))
    image = np.zeros((64, 64 * 3 - 2 * 32), np.uint8)
    hard = _tiled(predictor, image, 64, 0)[0].astype(int)
    levels = iter(range(1000))
    soft = _tiled(predictor, image, 64, 32)[0].astype(int)
    assert np.abs(np.diff(hard)).max() >= 100
    assert np.abs(np.diff(soft)).max() <= 1.5 * 200 / 32 + 1  # a smooth step's steepest slope
    assert {soft.min(), soft.max()} == {0, 200}


def test_floats_are_there_for_one_row_of_tiles() -> None:
    image = np.zeros((6400, 64), np.uint8)
    predictor = MadeUp(lambda images: images)
    tracemalloc.start()
    _tiled(predictor, image, 64, 16)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 3 * image.nbytes  # in floats the image and its weights would be 8 times its bytes


def test_tiles_are_chosen_above_a_size() -> None:
    side = int(WHOLE**0.5)
    assert Tiling().side_for(side, side) is None
    assert Tiling().side_for(side, side + 1) == TILE
    assert Tiling(0).side_for(10 * side, 10 * side) is None
    assert Tiling(128).side_for(128, 128) is None
    assert Tiling(128).side_for(129, 60) == 128


@pytest.mark.parametrize(("side", "overlap"), [(LEAST_TILE - 1, 0), (-1, 0), (64, 33), (64, -1)])
def test_tiles_that_cannot_be_are_refused(side: int, overlap: int) -> None:
    with pytest.raises(BadInput, match="--tile 0 translates in one piece"):
        Tiling(side, overlap)
