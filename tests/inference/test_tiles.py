"""Tiles: nothing but the network's own statistics tells them from one piece."""

import tracemalloc
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from thermochroma.base.errors import BadInput
from thermochroma.inference.defaults import TILE, WHOLE
from thermochroma.inference.tiles import LEAST_TILE, Tiling, settled, translate_tiled

RAMP = np.add.outer(np.arange(230), np.arange(310)).astype(np.uint8) // 3


class MadeUp:
    """A predictor of thermal from thermal that applies a function, and remembers what it saw."""

    def __init__(self, function: Callable[[np.ndarray], np.ndarray]) -> None:
        self.function, self.shapes = function, list[tuple[int, ...]]()

    def __call__(self, images: np.ndarray, references: object, *, sharpness: float) -> np.ndarray:
        self.shapes.append(images.shape[1:])
        return self.function(images)[..., None]


def _tiled(
    predictor: MadeUp, image: np.ndarray, side: int, overlap: int, *, guided: bool | None = False
) -> np.ndarray:
    tiling = Tiling(side, overlap, guided=guided)
    return translate_tiled(predictor, image, None, tiling=tiling)[..., 0]


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


def test_tiles_take_the_colours_of_the_whole_and_keep_their_own_detail() -> None:
    """The worst case again: each tile has a level of its own, and so has the whole, which comes first."""
    levels = iter([120, 30, 180, 90, 220, 60, 150])
    stripes = np.zeros((70, 150), np.uint8)
    stripes[:, ::2] = 20
    predictor = MadeUp(lambda images: images // 2 + np.uint8(next(levels)))
    found = _tiled(predictor, stripes, 64, 16, guided=True).astype(int)
    assert predictor.shapes == [(30, 64), *[(64, 64)] * 6]
    assert np.abs(found - 120 - stripes // 2).max() <= 1


def test_a_ramp_over_the_whole_is_no_ramp_of_each_tile() -> None:
    """A network that stretches what it sees, as one with instance norm, gives each tile black and white."""

    def stretched(images: np.ndarray) -> np.ndarray:
        low, high = int(images.min()), max(int(images.max()), 1)
        return ((images.astype(int) - low) * 255 // max(high - low, 1)).astype(np.uint8)

    image = np.repeat(np.arange(256, dtype=np.uint8)[None], 128, axis=0)
    alone, guided = (_tiled(MadeUp(stretched), image, 64, 16, guided=one) for one in (False, True))
    one_piece = stretched(image).astype(int)
    assert np.abs(alone - one_piece).mean() > 50
    assert np.abs(guided - one_piece)[:, 8:-8].max() <= 8


@pytest.mark.parametrize("side", [100, 129])
def test_what_depends_on_the_pixel_alone_is_hardly_changed_by_a_guide(side: int) -> None:
    smooth = np.add.outer(np.arange(230), np.arange(310)) // 3
    found = _tiled(
        MadeUp(lambda images: 255 - images), smooth.astype(np.uint8), side, 16, guided=True
    )
    assert np.abs(255 - smooth - found).max() <= 2


def _edges(images: np.ndarray) -> np.ndarray:
    """Steps between neighbours: of a pixel's neighbourhood alone, and others in an image scaled down."""
    return np.abs(np.diff(images.astype(int), axis=-1, append=images[..., -1:])).astype(np.uint8)


def _levelled(images: np.ndarray) -> np.ndarray:
    """Levels about the mean of all that is seen, as a norm over the image gives them."""
    return (images - images.mean((1, 2), keepdims=True) + 128).clip(0, 255).astype(np.uint8)


def test_tiles_are_guided_where_that_makes_them_agree_and_nowhere_else() -> None:
    stripes = np.where(np.arange(310) % 8 < 4, 20, 220) * np.ones((230, 1))
    ramp = np.add.outer(np.arange(230), np.arange(310)) / 3 + 30
    for function, image, needs in ((_edges, stripes, False), (_levelled, ramp, True)):
        found = [
            _tiled(MadeUp(function), image.astype(np.uint8), 128, 16, guided=one)
            for one in (None, False, True)
        ]
        assert not np.array_equal(found[1], found[2])
        assert np.array_equal(found[0], found[2] if needs else found[1])
    assert Tiling().guided is None


def test_one_image_settles_whether_the_tiles_of_all_are_guided() -> None:
    ramp = (np.add.outer(np.arange(230), np.arange(310)) / 3 + 30).astype(np.uint8)
    for given, side, found in ((None, 128, True), (False, 128, False), (None, 400, None)):
        tiling = Tiling(side, 16, guided=given)
        said = settled(tiling, MadeUp(_levelled), ramp, None, sharpness=0.0)
        assert said == Tiling(side, 16, guided=found)


@pytest.mark.parametrize("size", [(3, 64 * 200), (64 * 200, 3)])
def test_a_strip_whose_small_image_is_one_line_is_translated(size: tuple[int, int]) -> None:
    strip = (np.indices(size).sum(0) // 60).astype(np.uint8)
    predictor = MadeUp(lambda images: 255 - images)
    found = _tiled(predictor, strip, 64, 8, guided=None)
    assert np.abs(255 - strip.astype(int) - found).max() <= 2
    assert min(map(min, predictor.shapes)) > 0, "no part without pixels"


def test_an_image_in_one_piece_has_no_guide() -> None:
    predictor = MadeUp(lambda images: 255 - images)
    assert np.array_equal(_tiled(predictor, RAMP, 400, 16, guided=True), 255 - RAMP)
    assert predictor.shapes == [(230, 310)]


@pytest.mark.parametrize("guided", [False, True])
def test_floats_are_there_for_one_row_of_tiles(guided: bool) -> None:
    image = np.zeros((6400, 64), np.uint8)
    predictor = MadeUp(lambda images: images)
    tracemalloc.start()
    _tiled(predictor, image, 64, 16, guided=guided)
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


@pytest.mark.parametrize("options", [{"overlap": 8}, {"guided": False}])
def test_what_concerns_tiles_is_refused_where_there_are_none(options: dict[str, Any]) -> None:
    with pytest.raises(BadInput, match=r"^--tile 0 with --(overlap|tiles-alone)"):
        Tiling(0, **options)
