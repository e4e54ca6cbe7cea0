"""Thermal images as other cameras would give them: only what is asked for changes, by a seed."""

import numpy as np
import pytest

from thermochroma.contract.settings import CameraSettings
from thermochroma.loading.camera_jitter import by_another_camera

RAMP = np.tile(np.arange(256, dtype=np.uint8), (64, 1))
SEEDS = range(20)


def drawn(seed: int, **most: float) -> np.ndarray:
    return by_another_camera(RAMP, CameraSettings(**most), seed=seed)


def test_without_any_difference_the_image_is_as_it_was() -> None:
    assert np.array_equal(drawn(0), RAMP)


def test_the_seed_alone_decides() -> None:
    most = {"gamma": 0.5, "gain": 0.5, "offset": 0.2, "blur": 2.0, "noise": 8.0}
    assert np.array_equal(drawn(1, **most), drawn(1, **most))
    assert not np.array_equal(drawn(1, **most), drawn(2, **most))


def test_hot_is_dark_in_the_asked_share_of_images() -> None:
    assert np.array_equal(drawn(3, inverted=1.0), 255 - RAMP)
    count = sum(drawn(seed, inverted=0.5)[0, 0] == 255 for seed in SEEDS)
    assert 0 < count < len(SEEDS)


@pytest.mark.parametrize(
    "most, level, least, greatest",
    [
        ({"offset": 0.1}, 128, 128 - 26, 128 + 26),
        ({"gain": 0.5}, 64, 127.5 - 63.5 * 1.65, 127.5 - 63.5 / 1.65 + 1),
        ({"gamma": 0.5}, 64, 255 * (64 / 255) ** 1.65, 255 * (64 / 255) ** (1 / 1.65) + 1),
    ],
)
def test_levels_move_as_far_as_asked_and_no_further(
    most: dict[str, float], level: int, least: float, greatest: float
) -> None:
    found = [int(drawn(seed, **most)[0, level]) for seed in SEEDS]
    assert least - 1 <= min(found) < level < max(found) <= greatest
    assert max(found) - min(found) > (greatest - least) / 2, "twenty draws fill most of the range"
    falls = [np.diff(drawn(seed, **most)[0].astype(int)).min() < 0 for seed in SEEDS]
    assert not any(falls), "the order of the levels stays"


def test_blur_and_noise_change_their_own_frequencies() -> None:
    steps = np.where(np.arange(256) % 2, 160, 96).astype(np.uint8)
    striped = np.tile(steps, (64, 1))
    blurred = [
        np.ptp(by_another_camera(striped, CameraSettings(blur=1.5), seed=seed)) for seed in SEEDS
    ]
    assert max(blurred) <= 64 and min(blurred) < 8
    flat = np.full((64, 64), 128, np.uint8)
    noisy = [by_another_camera(flat, CameraSettings(noise=8.0), seed=seed).std() for seed in SEEDS]
    assert 4 < max(noisy) < 8.5 and min(noisy) < 2
