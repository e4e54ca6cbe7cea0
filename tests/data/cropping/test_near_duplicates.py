"""Near duplicates and frozen frames: counted always, dropped on demand, never fitted on test frames."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from tests.examiner import raw_params, write_params
from thermochroma.base.errors import BadInput
from thermochroma.base.images import write_image
from thermochroma.base.manifest import FRAME_COLUMNS
from thermochroma.config.params import read_params
from thermochroma.data.cropping.counts import crop_counts
from thermochroma.data.cropping.near_duplicates import (
    HARDLY_DIFFERS,
    Thumbnails,
    drop_similar,
    fit_threshold,
    steps,
    take_thumbnails,
)
from thermochroma.data.cropping.windows import assign_shards, plan_windows

SIZE = 80, 64
SEQUENCES = {  # the grey level of each frame, and its sequence's split
    "a": ("train", [10, 10, 11, 14, 15, 20]),
    "b": ("test", [50, 51, 51, 51, 60]),
    "c": ("validation", [5, 6, 9, 30]),
}


class Drive:
    """Frames of even grey on a fixed pattern, so that differences are differences of the levels."""

    def __init__(self, raw: Path) -> None:
        pattern = np.tile(np.array([0, 40], np.uint8), (SIZE[1], SIZE[0] // 2))
        rows = []
        for sequence, (split, levels) in SEQUENCES.items():
            for place, level in enumerate(levels):
                name = f"{sequence}/{place}"
                write_image(raw / f"{name}.png", pattern + np.uint8(level))
                row = dict.fromkeys(FRAME_COLUMNS, "")
                row |= {"frame": name, "sequence": sequence, "mount": sequence, "split": split}
                row |= {"thermal": f"{name}.png", "thermal_sha256": f"{sequence}{place}"}
                rows.append(row | {"width": SIZE[0], "height": SIZE[1]})
        self.raw = raw
        self.frames = pd.DataFrame(rows, columns=list(FRAME_COLUMNS)).astype(FRAME_COLUMNS)

    def windows(self) -> pd.DataFrame:
        transforms = dict.fromkeys(SEQUENCES, np.eye(2, 3))
        frames = self.frames.assign(thermal_sha256="")  # those here are made up
        return plan_windows(frames, transforms, size=32, clip_frames=1, upscale=False, seed=0)

    def thumbnails(self) -> Thumbnails:
        path = self.raw / "thumbnails"
        return take_thumbnails(self.windows(), path, raw=self.raw, workers=2)

    def kept(self, threshold: float) -> list[str]:
        table = drop_similar(self.windows(), self.thumbnails(), threshold)
        return list(table.loc[table["dropped"] == "", "frame"])

    def counts(self, threshold: float = 0.0) -> dict[str, Any]:
        thumbnails = self.thumbnails()
        plan = assign_shards(drop_similar(self.windows(), thumbnails, threshold))
        return crop_counts(self.frames, plan, thumbnails, steps(thumbnails))


@pytest.fixture
def drive(tmp_path: Path) -> Drive:
    return Drive(tmp_path)


@pytest.mark.parametrize(
    ("threshold", "kept"),
    [
        (0.0, "a0 a1 a2 a3 a4 a5 b0 b1 b2 b3 b4 c0 c1 c2 c3"),
        (1.0, "a0 a2 a3 a4 a5 b0 b1 b4 c0 c1 c2 c3"),
        (4.0, "a0 a3 a5 b0 b4 c0 c2 c3"),  # a4 differs by 1 from a3, which is kept
        (300.0, "a0 b0 c0"),
    ],
)
def test_a_frame_must_differ_from_the_last_one_kept(
    drive: Drive, threshold: float, kept: str
) -> None:
    assert drive.kept(threshold) == [f"{name[0]}/{name[1]}" for name in kept.split()]


def test_small_steps_add_up(drive: Drive) -> None:
    """Each frame of b hardly differs from the one before it; against the last kept one it does."""
    assert "a/3" in drive.kept(2.0)
    table = drop_similar(drive.windows(), drive.thumbnails(), 4.0)
    reasons = dict(zip(table["frame"], table["dropped"], strict=True))
    assert reasons["a/4"] == f"{HARDLY_DIFFERS} a/3"


@pytest.mark.parametrize(
    ("images", "left"),
    [(1000, 10), (10, 10), (9, 9), (8, 9), (7, 6), (6, 6), (5, 5), (3, 3), (1, 2)],
)
def test_the_threshold_leaves_so_many_outside_the_test_split_or_nearly(
    drive: Drive, images: int, left: int
) -> None:
    """9 remain with a threshold of 1 and 6 with more; each sequence keeps its first frame."""
    threshold = fit_threshold(drive.thumbnails(), images)
    assert len([frame for frame in drive.kept(threshold) if frame[0] != "b"]) == left
    assert (threshold == 0) == (left == 10)


def test_test_frames_have_no_say(drive: Drive) -> None:
    before = fit_threshold(drive.thumbnails(), 6)
    for place in range(5):
        write_image(drive.raw / f"b/{place}.png", np.eye(64, 80, dtype=np.uint8) * place)
    (drive.raw / "thumbnails").unlink()
    assert fit_threshold(drive.thumbnails(), 6) == before


def test_frames_without_a_window_are_not_looked_at(drive: Drive) -> None:
    (drive.raw / "a/1.png").write_text("torn")
    drive.frames.loc[1, "defect"] = "torn"
    assert len(drive.thumbnails().rows) == 14
    assert drive.kept(1.0)[:2] == ["a/0", "a/2"]


def test_thumbnails_are_taken_once(drive: Drive) -> None:
    kept = drive.kept(4.0)
    for path in drive.raw.rglob("*.png"):
        path.unlink()
    assert drive.kept(4.0) == kept


def test_frozen_and_repeated_frames_are_counted_though_nothing_is_dropped(drive: Drive) -> None:
    drive.frames.loc[4, "thermal_sha256"] = "a3"  # as the inspection finds and drops it
    drive.frames.loc[4, "defect"] = "thermal image is the same as that of a/3"
    drive.frames.loc[14, "thermal_sha256"] = "b1"
    assert drive.counts() == {
        "frames": 15,
        "kept": 14,
        "kept_by_split": {"train": 5, "validation": 4, "test": 5},
        "dropped": {"thermal image is the same as that of an earlier frame": 1},
        "exact_duplicates": 2,
        "exact_duplicates_across_splits": 1,
        "frozen": 1 + 1 + 2,
        "longest_frozen_run": 2,
    }


def test_reasons_are_counted_by_kind(drive: Drive) -> None:
    counts = drive.counts(threshold=4.0)
    assert counts["dropped"] == {f"{HARDLY_DIFFERS} an earlier frame": 7}
    assert counts["kept"] == 8


@pytest.mark.parametrize("block", [{}, {"threshold": 1.0, "images": 5}, {"threshold": 0.0}])
def test_one_measure_is_asked_for(block: dict[str, float], tmp_path: Path) -> None:
    raw = raw_params()
    raw["crop"]["sample"]["dedup"] = block
    write_params(tmp_path / "params.yaml", raw)
    with pytest.raises(BadInput, match=r"crop\.sample\.dedup"):
        read_params(tmp_path / "params.yaml")
