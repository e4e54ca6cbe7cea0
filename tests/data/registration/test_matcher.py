"""A matcher named by a user: what it finds counts, and what it does wrong is told in one sentence."""

import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tests.data.registration.test_register import SIZE, drawn, similarity
from thermochroma.base.errors import BadInput
from thermochroma.base.images import write_image
from thermochroma.data.registration.geometry import (
    IDENTITY,
    Size,
    corner_distance,
    mapped,
    rescaled,
)
from thermochroma.data.registration.matcher import by_matcher, load_matcher
from thermochroma.data.registration.pair_estimate import estimate_pair, working_size
from thermochroma.data.registration.register import register

SHA256 = ("thermal_sha256", "visible_sha256")

TRUTH = similarity(0.6, 1.01, 5.0, -4.0)
CALLS: list[Size] = []


def made_up(thermal: np.ndarray, visible: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Knows the answer, and a third of its points are wrong."""
    assert thermal.shape == visible.shape
    assert thermal.dtype == visible.dtype == np.float32
    CALLS.append((visible.shape[1], visible.shape[0]))
    rng = np.random.default_rng(0)
    here = rng.uniform([0, 0], visible.shape[::-1], (60, 2))
    there = mapped(rescaled(TRUTH, SIZE, working_size(SIZE)), here)
    there[::3] += rng.uniform(20, 60, there[::3].shape)
    return here, there


def no_points(_thermal: np.ndarray, _visible: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    return np.zeros((0, 2)), np.zeros((0, 2))


NO_FUNCTION = 3


def test_most_points_outvote_the_wrong_ones() -> None:
    image = np.zeros(working_size(SIZE)[::-1], np.float32)
    found = by_matcher(made_up, image, image)
    true = rescaled(TRUTH, SIZE, working_size(SIZE))  # by 1.28 and 1.275: not quite a similarity
    assert corner_distance(found, true, SIZE) < 0.1
    assert by_matcher(no_points, image, image) is None


def test_a_matcher_proposes_at_the_working_size(monkeypatch: pytest.MonkeyPatch) -> None:
    """With the other ways gone, the answer can only be the matcher's."""
    for way in ("by_ecc", "by_tiles"):
        monkeypatch.setattr(f"thermochroma.data.registration.pair_estimate.{way}", lambda *_: None)
    CALLS.clear()
    pair = drawn(40, TRUTH)
    found = estimate_pair(*pair, gain_needed=0.02, matcher=made_up)
    assert (found.candidate, found.accepted) == ("matcher", True)
    assert corner_distance(found.matrix, TRUTH, SIZE) < 0.5
    assert [working_size(SIZE)] == CALLS
    assert not estimate_pair(*pair, gain_needed=0.02).accepted


def test_a_matcher_cannot_make_a_pair_worse(monkeypatch: pytest.MonkeyPatch) -> None:
    """The score has the last word: a wrong answer, however sure, leaves the pair as it is."""
    for way in ("by_ecc", "by_tiles"):
        monkeypatch.setattr(f"thermochroma.data.registration.pair_estimate.{way}", lambda *_: None)
    monkeypatch.setattr(
        "thermochroma.data.registration.pair_estimate.refined", lambda _one, _two, start: start
    )
    found = estimate_pair(*drawn(41, IDENTITY), gain_needed=0.02, matcher=made_up)
    assert not found.accepted
    assert found.gain < 0
    assert np.array_equal(found.matrix, IDENTITY)


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("no_such_module:match", "No module named 'no_such_module'"),
        ("tests.data.registration.test_matcher:no_such_function", "no_such_function"),
        ("tests.data.registration.test_matcher:NO_FUNCTION", "is no function"),
        (":match", "cannot be imported"),
    ],
)
def test_a_name_without_a_function_is_refused(name: str, told: str) -> None:
    with pytest.raises(BadInput, match=told) as problem:
        load_matcher(name)
    assert f"`{name}` under `registration.matcher`" in str(problem.value)


def test_a_missing_matcher_is_refused_before_any_image_is_read() -> None:
    columns = ("mount", "rig", "tone", "defect", "left_out", *SHA256, "frame", "thermal", "visible")
    frames = pd.DataFrame([dict.fromkeys(columns, "")])
    with pytest.raises(BadInput, match="no_such_module"):
        register(frames, raw=Path("nowhere"), stills=False, workers=1, matcher="no_such_module:f")


@pytest.mark.parametrize(
    ("found", "told"),
    [
        (None, "returned NoneType"),
        ((np.zeros((3, 2)),), "returned tuple"),
        ((np.zeros((3, 2)), np.zeros((4, 2))), r"shapes \(3, 2\) and \(4, 2\)"),
        ((np.zeros((3, 3)), np.zeros((3, 3))), r"shapes \(3, 3\)"),
        ((np.zeros(6), np.zeros(6)), r"shapes \(6,\)"),
        ((np.full((9, 2), math.nan), np.zeros((9, 2))), "not finite"),
        (([["a", "b"]], [["c", "d"]]), "no array of numbers"),
    ],
)
def test_other_answers_are_refused(found: object, told: str) -> None:
    image = np.zeros((8, 8), np.float32)
    answer: Callable = lambda *_: found  # noqa: E731
    with pytest.raises(BadInput, match=told):
        by_matcher(answer, image, image)


@pytest.mark.parametrize("workers", [1, 2])
def test_workers_find_the_matcher_by_its_name(tmp_path: Path, workers: int) -> None:
    rows = []
    for index, name in enumerate(["one", "two"]):
        thermal, visible = drawn(42 + index, TRUTH)
        write_image(tmp_path / f"thermal/{name}.png", thermal)
        write_image(tmp_path / f"visible/{name}.png", visible)
        paths = {"thermal": f"thermal/{name}.png", "visible": f"visible/{name}.png"}
        empty = dict.fromkeys(("rig", "tone", "defect", "left_out", *SHA256), "")
        rows.append({"frame": name, "mount": name, **empty, **paths})
    _, estimates = register(
        pd.DataFrame(rows),
        raw=tmp_path,
        stills=True,
        workers=workers,
        matcher="tests.data.registration.test_matcher:no_points",
    )
    assert estimates["reason"].str.contains("matcher found nothing").all()
