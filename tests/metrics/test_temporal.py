"""Flicker: what changes between frames beyond what moved."""

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from thermochroma.metrics.temporal import backward_flow, flicker, follow

SIDE = 96


@pytest.fixture(scope="module")
def ground() -> np.ndarray:
    """A textured image, wider than a frame: (h, w, 3)."""
    random = np.random.default_rng(0)
    fine = gaussian_filter(random.normal(size=(SIDE, SIDE + 16, 3)), (2, 2, 0)) * 220
    return (fine + 120).clip(0, 230).astype(np.uint8)


def _frames(ground: np.ndarray, moved: int) -> tuple[np.ndarray, np.ndarray]:
    return ground[:, 8 : 8 + SIDE].copy(), ground[:, 8 + moved : 8 + moved + SIDE].copy()


def test_a_still_video_has_none(ground: np.ndarray) -> None:
    before, _ = _frames(ground, 0)
    assert flicker(before, before, backward_flow(before[..., 0], before[..., 0])) == 0


@pytest.mark.parametrize("moved", [2, -3, 5])
def test_motion_is_no_flicker_and_a_jump_of_brightness_is(ground: np.ndarray, moved: int) -> None:
    before, after = _frames(ground, moved)
    way = backward_flow(before[..., 1], after[..., 1])
    assert way.seen.mean() > 0.8
    assert np.median(way.flow[..., 0][way.seen]) == pytest.approx(moved, abs=0.2)
    still = np.abs(before.astype(int) - after.astype(int)).mean()
    own = flicker(before, after, way)
    assert own < 2 < still / 4
    assert flicker(before, after + np.uint8(20), way) == pytest.approx(20, abs=1.5)


def test_thermal_paintings_of_one_channel_are_read_alike(ground: np.ndarray) -> None:
    before, after = _frames(ground, 3)
    way = backward_flow(before[..., 0], after[..., 0])
    grey = flicker(before[..., :1], after[..., :1], way)
    assert grey == pytest.approx(flicker(before[..., [0] * 3], after[..., [0] * 3], way))


def test_the_painting_has_no_say_in_what_moved(ground: np.ndarray) -> None:
    """Predicted images that stand still while the scene moves flicker."""
    before, after = _frames(ground, 4)
    way = backward_flow(before[..., 0], after[..., 0])
    assert flicker(before, before, way) > 10


def test_what_cannot_be_followed_has_no_value() -> None:
    noise = np.random.default_rng(1).integers(0, 256, (2, SIDE, SIDE)).astype(np.uint8)
    way = backward_flow(*noise)
    flat = np.full((SIDE, SIDE, 3), 90, np.uint8)
    assert way.seen.mean() < 0.2
    assert np.isnan(flicker(flat, flat, way))


def test_pixels_that_enter_the_image_are_not_counted(ground: np.ndarray) -> None:
    before, after = _frames(ground, 6)
    way = backward_flow(before[..., 0], after[..., 0])
    assert not way.seen[:, -4:].any()
    entered = after.copy()
    entered[:, -4:] = 0
    assert flicker(before, entered, way) == flicker(before, after, way)


def test_images_are_read_where_the_flow_points_to() -> None:
    values = np.arange(12, dtype=np.float32).reshape(3, 4, 1)
    flow = np.zeros((3, 4, 2), np.float32)
    flow[..., 0], flow[..., 1] = 0.5, 1
    assert follow(values, flow)[..., 0].tolist() == [
        [4.5, 5.5, 6.5, 7], [8.5, 9.5, 10.5, 11], [8.5, 9.5, 10.5, 11],
    ]  # fmt: skip
