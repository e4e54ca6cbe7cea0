"""Less flicker: along the motion of what the translator sees, and never over what has changed."""

from itertools import pairwise

import cv2
import numpy as np
import pytest

from thermochroma.metrics.temporal import backward_flow, flicker
from thermochroma.serving.steadying import Steadier

COUNT, SIDE = 8, 96


def drive(step: int = 2) -> list[np.ndarray]:
    """A thermal view that moves to the left by whole pixels."""
    rng = np.random.default_rng(3)
    view = cv2.GaussianBlur(rng.uniform(0, 255, (SIDE, SIDE + COUNT * step)), (0, 0), 3)
    view = np.clip((view - view.mean()) * 6 + 128, 0, 255).astype(np.uint8)
    return [np.ascontiguousarray(view[:, n * step : n * step + SIDE]) for n in range(COUNT)]


def painted_of(seen: list[np.ndarray], *, offsets: list[float]) -> list[np.ndarray]:
    """Colours that follow the heat, and jump by an offset of each image: flicker, and nothing else."""
    made = (np.stack([one * 0.6, one * 0.4, one * 0.2], axis=-1) + 40 for one in seen)
    return [(one + offset).astype(np.uint8) for one, offset in zip(made, offsets, strict=True)]


def flicker_of(seen: list[np.ndarray], images: list[np.ndarray]) -> float:
    """The project's score, averaged over the pairs."""
    ways = [backward_flow(*pair) for pair in pairwise(seen)]
    pairs = zip(pairwise(images), ways, strict=True)
    return float(np.mean([flicker(*pair, way) for pair, way in pairs]))


def steadied(seen: list[np.ndarray], images: list[np.ndarray], degree: float) -> list[np.ndarray]:
    """Images after the filter."""
    steadier = Steadier(degree)
    return [steadier(*pair) for pair in zip(seen, images, strict=True)]


@pytest.mark.parametrize(("degree", "least"), [(0.5, 0.3), (0.8, 0.6)])
def test_flicker_falls_along_the_motion(degree: float, least: float) -> None:
    seen = drive()
    images = painted_of(seen, offsets=[0, 12] * (COUNT // 2))
    before, after = (flicker_of(seen, some) for some in (images, steadied(seen, images, degree)))
    assert after < (1 - least) * before


def test_what_does_not_flicker_stays() -> None:
    seen = drive()
    images = painted_of(seen, offsets=[0] * COUNT)
    steady = steadied(seen, images, 0.8)
    assert np.array_equal(steady[0], images[0])
    inner = slice(8, -8)
    for one, other in zip(steady, images, strict=True):
        assert np.abs(one.astype(int) - other)[inner, inner].mean() < 1


def test_a_cut_leaves_no_trace_of_the_former_view() -> None:
    seen = [*drive()[:3], *(255 - one[::-1].T.copy() for one in drive()[:3])]
    images = painted_of(seen, offsets=[0] * 6)
    after = steadied(seen, images, 0.9)
    assert np.abs(after[3].astype(int) - images[3]).mean() < 0.5
    still = [np.full((SIDE, SIDE), level, np.uint8) for level in (50, 50)]
    still[1][20:60, 20:60] = 220  # what appears is shown at once
    new = steadied(still, painted_of(still, offsets=[0, 0]), 0.9)[1]
    assert np.array_equal(new[24:56, 24:56], painted_of(still, offsets=[0, 0])[1][24:56, 24:56])


def test_a_camera_that_changes_its_gain_is_no_change_of_the_view() -> None:
    seen = [np.clip(one.astype(int) // 2 + 30 * (n % 2), 0, 255) for n, one in enumerate(drive())]
    seen = [one.astype(np.uint8) for one in seen]
    images = painted_of(drive(), offsets=[0, 12] * (COUNT // 2))
    before, after = (flicker_of(seen, some) for some in (images, steadied(seen, images, 0.8)))
    assert after < 0.5 * before


def test_grey_of_colour_is_steadied_too_and_another_size_begins_anew() -> None:
    seen = [np.repeat(one[..., None], 3, axis=-1) for one in drive()]
    images = [np.clip(one[..., 0] * 0.5 + 20 * (n % 2), 0, 255) for n, one in enumerate(seen)]
    images = [one.astype(np.uint8) for one in images]
    steadier = Steadier(0.8)
    results = [steadier(*pair) for pair in zip(seen, images, strict=True)]
    assert {one.shape for one in results} == {(SIDE, SIDE)}
    assert not np.array_equal(results[1], images[1])
    other = np.zeros((40, 50), np.uint8)
    assert np.array_equal(steadier(np.zeros((40, 50, 3), np.uint8), other), other)
