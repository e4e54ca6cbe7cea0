"""Edges kept: against images whose answer is known, and hysteresis against a naive flood."""

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from thermochroma.metrics.contours import (
    LOWER,
    THRESHOLDS,
    edges_kept,
    ridge_strengths,
    thresholds_passed,
)

SIDE = 64


@pytest.fixture(scope="module")
def seen() -> np.ndarray:
    """Boxes of several contrasts on soft ground."""
    random = np.random.default_rng(0)
    image = gaussian_filter(random.normal(size=(SIDE, SIDE)), 8) * 300 + 120
    for top, left, level in ((6, 8, 210), (30, 36, 40), (40, 6, 170)):
        image[top : top + 16, left : left + 20] = level
    return image.clip(0, 255).round().astype(np.uint8)


def _flooded(strength: np.ndarray, threshold: float) -> np.ndarray:
    """From every strong place on, step by step, to neighbours that are not too weak."""
    strong, weak = strength >= threshold, strength >= LOWER * threshold
    reached = np.zeros(strength.shape, bool)
    waiting = list(zip(*np.nonzero(strong), strict=True))
    while waiting:
        y, x = waiting.pop()
        if not (0 <= y < strength.shape[0] and 0 <= x < strength.shape[1]):
            continue
        if reached[y, x] or not weak[y, x]:
            continue
        reached[y, x] = True
        waiting += [(y + dy, x + dx) for dy in (-1, 0, 1) for dx in (-1, 0, 1)]
    return reached


def test_the_same_image_keeps_all_edges_and_invents_none(seen: np.ndarray) -> None:
    assert edges_kept(seen, seen) == (1, 1)


def test_a_flat_image_keeps_none(seen: np.ndarray) -> None:
    assert edges_kept(np.full_like(seen, 90), seen) == (0, 0)


def test_a_seen_image_without_edges_has_no_value(seen: np.ndarray) -> None:
    assert np.isnan(edges_kept(seen, np.full_like(seen, 90))).all()


def test_a_negative_or_a_fainter_image_keeps_its_edges(seen: np.ndarray) -> None:
    assert min(edges_kept(255 - seen, seen)) > 0.95
    assert min(edges_kept(seen // 2, seen)) > 0.85


def test_moved_edges_are_lost(seen: np.ndarray) -> None:
    assert max(edges_kept(np.roll(seen, 7, axis=1), seen)) < 0.3


def test_invented_edges_cost_the_f_measure_alone(seen: np.ndarray) -> None:
    busy = seen.copy()
    for left in (34, 42, 50, 58):
        busy[4:24, left : left + 4] += 70
    kept, balanced = edges_kept(busy, seen)
    assert kept > 0.85
    assert balanced < kept - 0.1


@pytest.mark.parametrize("noisy", [False, True])
def test_hysteresis_is_a_flood_from_strong_edges_at_every_threshold(
    seen: np.ndarray, noisy: bool
) -> None:
    noise = np.random.default_rng(1).integers(0, 256, seen.shape).astype(np.uint8)
    strength = ridge_strengths(noise if noisy else seen)
    passed = thresholds_passed(strength)
    assert passed.max() == len(THRESHOLDS)
    for number, threshold in enumerate(THRESHOLDS):
        assert np.array_equal(passed > number, _flooded(strength, threshold)), threshold


def test_a_weak_edge_counts_where_it_hangs_on_a_strong_one() -> None:
    strength = np.zeros((7, 9), np.float32)
    strength[1, 1:4], strength[2, 4], strength[5, 1:8] = 0.6, 1.0, 0.6
    edges = thresholds_passed(strength) > THRESHOLDS.index(0.925)
    assert list(zip(*np.nonzero(edges), strict=True)) == [(1, 1), (1, 2), (1, 3), (2, 4)]


def test_a_long_way_is_followed_to_its_end() -> None:
    """A spiral, much longer than the steps between two looks."""
    strength, turn = np.zeros((41, 41), np.float32), 0
    y, x, steps = 20, 20, 2
    while steps < 40:
        for _ in range(steps):
            strength[y, x] = 0.5
            y, x = y + (0, 1, 0, -1)[turn % 4], x + (1, 0, -1, 0)[turn % 4]
        turn, steps = turn + 1, steps + (turn % 2) * 2
    strength[20, 20] = 1
    passed = thresholds_passed(strength)
    assert (passed[strength == 0.5] == THRESHOLDS.index(0.975) + 1).all()


def test_ridges_are_thin_and_lie_on_the_step() -> None:
    image = np.full((32, 32), 50, np.uint8)
    image[:, 16:] = 200
    strength = ridge_strengths(image)
    assert strength.max() == 1
    assert (np.count_nonzero(strength, axis=1) == 1).all()
    assert set(np.nonzero(strength)[1]) <= {15, 16}


def test_the_values_are_means_over_thresholds_worked_out_one_by_one(seen: np.ndarray) -> None:
    prediction = np.clip(
        seen.astype(int) + np.random.default_rng(2).normal(0, 12, seen.shape), 0, 255
    )
    mine, theirs = ridge_strengths(prediction.astype(np.uint8)), ridge_strengths(seen)
    kept, balanced = [], []
    for threshold in THRESHOLDS:
        found, wanted = _flooded(mine, threshold), _flooded(theirs, threshold)
        share, right = (found & wanted).sum() / wanted.sum(), (found & wanted).sum() / found.sum()
        kept.append(share)
        balanced.append(2 * share * right / (share + right))
    assert edges_kept(prediction.astype(np.uint8), seen) == pytest.approx(
        (np.mean(kept), np.mean(balanced))
    )
