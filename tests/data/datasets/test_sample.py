"""The built-in sample: same bits alone and in a run, exact defects, a true ground truth."""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from pydantic import ValidationError

from thermochroma.base.errors import BadInput
from thermochroma.base.files import sha256
from thermochroma.base.images import read_thermal, read_visible
from thermochroma.data.datasets import sample
from thermochroma.data.datasets.sample import DATASET, SampleSettings
from thermochroma.data.synthetic.camera import HEIGHT, WIDTH, Camera
from thermochroma.data.synthetic.drive import drive_of
from thermochroma.data.synthetic.frame import draw_frame
from thermochroma.data.synthetic.plan import DEFECTS, FOGGY_SEQUENCES, sequences
from thermochroma.data.synthetic.scene import camera_at, paint, stage_of
from thermochroma.data.synthetic.thermal import displaced, warmth

TINY = SampleSettings(sequences_per_set=2)
BROKEN = ("set00/V000", "set01/V000", "set02/V000")  # with TINY, all defects lie here
DAY, NIGHT = ("set06/V000", 6), ("set03/V000", 0)

# mean grey of 4x4 blocks
GOLDEN: dict[str, dict[str, list[list[int]]]] = {
    "set06/V000": {
        "thermal": [
            [111, 52, 55, 131],
            [140, 116, 123, 137],
            [172, 180, 166, 151],
            [179, 186, 183, 164],
        ],
        "visible": [[130, 216, 177, 68], [97, 141, 111, 83], [88, 81, 89, 87], [83, 73, 87, 89]],
    },
    "set03/V000": {
        "thermal": [
            [134, 34, 159, 151],
            [179, 145, 167, 164],
            [186, 185, 175, 165],
            [184, 189, 190, 177],
        ],
        "visible": [[33, 24, 36, 31], [37, 30, 32, 27], [32, 47, 40, 36], [54, 57, 57, 69]],
    },
}


@pytest.fixture(scope="module")
def few() -> Iterator[None]:
    """Let the sample consist of the sequences with defects alone: the rest only costs time."""
    planned = sample._recordings(TINY)
    chosen = [one for one in planned if one.name in BROKEN]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sample, "_recordings", lambda settings: chosen)
        yield


class _InTurn(ThreadPoolExecutor):
    """One thread in place of many processes, which take seconds to start."""

    def __init__(self, workers: int, mp_context: object) -> None:
        super().__init__(1)


@pytest.fixture(scope="module")
def raw(few: None, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Drawn in this very process; the test of resuming compares with processes of their own."""
    folder = tmp_path_factory.mktemp("raw")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sample, "ProcessPoolExecutor", _InTurn)
        sample.acquire(TINY, folder)
    return folder


def _hashes(folder: Path) -> dict[str, str]:
    files = (path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): sha256(path) for path in files}


@pytest.mark.parametrize("count", [2, 3, 20])
def test_plan_has_the_defects_it_promises(count: int) -> None:
    planned = sequences(sequences_per_set=count, frames_per_sequence=3)
    planted = [defect for one in planned for defect in one.defects if defect]
    assert {defect: planted.count(defect) for defect in planted} == DEFECTS
    assert sum(one.foggy for one in planned) == FOGGY_SEQUENCES
    assert all(one.part == "train" for one in planned if any(one.defects) or one.foggy)


def test_splits_hold_whole_sequences() -> None:
    rows = DATASET.frames(SampleSettings(), Path())
    counts = {part: len({f.sequence for f in rows if f.split == part}) for part in _parts(rows)}
    assert counts == {"train": 54, "validation": 6, "test": 60}
    assert len(rows) == 360
    assert {f.place for f in rows if f.sequence.startswith("set07")} == {"road"}


def _parts(rows: list[sample.Frame]) -> set[str]:
    return {frame.split for frame in rows}


def test_night_frames_only_when_asked() -> None:
    both = SampleSettings(times=("day", "night"))
    assert {frame.time for frame in DATASET.frames(SampleSettings(), Path())} == {"day"}
    night = [frame for frame in DATASET.frames(both, Path()) if frame.time == "night"]
    assert len(night) == 6
    assert all(frame.sequence.startswith("set03/") for frame in night)


def test_source_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="drawn, not read"):
        sample.acquire(SampleSettings(source="somewhere"), tmp_path)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    "wrong", [{"sequences_per_set": 1}, {"frames_per_sequence": 2}, {"times": ()}]
)
def test_settings_have_ranges(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        SampleSettings(**wrong)  # type: ignore[arg-type]


def test_each_defect_looks_as_in_real_life(raw: Path) -> None:
    campus, road, downtown = (raw / "images" / name for name in BROKEN)
    assert not (campus / "lwir/I00006.jpg").exists()
    assert (campus / "visible/I00006.jpg").exists()
    with pytest.raises(BadInput, match="truncated"):
        read_visible(campus / "visible/I00012.jpg")
    for camera in ("lwir", "visible"):
        first, second = (sha256(road / camera / f"I{n:05d}.jpg") for n in (0, 6))
        assert first == second
    assert read_thermal(road / "lwir/I00012.jpg").std() == 0
    assert (downtown / "visible/I0006.jpg").exists()
    assert not (downtown / "visible/I00006.jpg").exists()


def test_all_other_images_are_sound(raw: Path, few: None) -> None:
    bad = {"missing": 0, "broken": 0, "constant": 0}
    for frame in DATASET.frames(TINY, raw):
        thermal, visible = raw / frame.thermal, raw / frame.visible
        if not (thermal.exists() and visible.exists()):
            bad["missing"] += 1
            continue
        try:
            images = read_thermal(thermal), read_visible(visible)
        except BadInput:
            bad["broken"] += 1
            continue
        assert [image.shape[:2] for image in images] == [(HEIGHT, WIDTH)] * 2
        bad["constant"] += bool(min(image.std() for image in images) <= 2)
    assert bad == {"missing": 2, "broken": 1, "constant": 1}  # the misnamed one is missing too


def test_resuming_gives_the_same_bytes(raw: Path) -> None:
    before = _hashes(raw)
    lost = ("visible/I00000.jpg", "lwir/I00012.jpg")
    for name in lost:
        (raw / "images/set01/V000" / name).unlink()
    (raw / "annotations/set02/V000/I00006.txt").unlink()
    (raw / "images/set00/V000/lwir/.part-x.jpg").write_bytes(b"killed")
    kept = raw / "images/set00/V000/lwir/I00000.jpg"
    written = kept.stat().st_mtime_ns
    sample.acquire(TINY, raw)
    assert _hashes(raw) == before
    assert kept.stat().st_mtime_ns == written


def test_other_settings_remove_the_old_drawing(tmp_path: Path) -> None:
    sample._claim(TINY, tmp_path)
    old, foreign = tmp_path / "images/set00/V000/lwir/I00000.jpg", tmp_path / "mine.txt"
    for path in (old, foreign):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    sample._claim(TINY.model_copy(update={"times": ("night",)}), tmp_path)
    assert old.exists()  # which times are used changes nothing in the drawing
    sample._claim(TINY.model_copy(update={"seed": 1}), tmp_path)
    assert not old.exists()
    assert foreign.exists()


def test_frame_alone_equals_frame_in_a_run(raw: Path) -> None:
    draw_frame(seed=0, sequence="set07/V001", number=0)  # something else before it
    alone = draw_frame(seed=0, sequence="set01/V000", number=0)
    written = read_thermal(raw / "images/set01/V000/lwir/I00000.jpg")
    # JPEG at quality 95 stays close; the sensor's noise would not if it were another draw
    assert np.abs(alone.thermal.astype(int) - written).mean() < 1
    again = draw_frame(seed=0, sequence="set01/V000", number=0)
    assert np.array_equal(alone.visible, again.visible)
    draw_frame(seed=0, sequence="set01/V000", number=6)
    after = draw_frame(seed=0, sequence="set01/V000", number=0)
    assert np.array_equal(alone.thermal, after.thermal)


def test_facts_come_from_the_metadata_alone(raw: Path) -> None:
    of = DATASET.facts(TINY, raw)
    meta = json.loads((raw / "captions_meta.json").read_text())["set00/V000"]
    facts = of("set00/V000/I00006")
    assert facts.scene == "a university campus road with trees and low buildings"
    assert facts.time == "day"
    assert facts.details == (f"{meta['weather']} sky", f"{meta['season']} trees")


def test_boxes_lie_in_the_image(raw: Path) -> None:
    lines = [
        line.split()
        for file in sorted((raw / "annotations").rglob("*.txt"))
        for line in file.read_text().splitlines()[1:]
    ]
    assert lines
    for label, *numbers in lines:
        x, y, width, height, occlusion = map(int, numbers[:5])
        assert len(numbers) == 11
        assert label in {"person", "people", "cyclist"}
        assert occlusion in {0, 1, 2}
        assert x >= 0 <= y
        assert x + width <= WIDTH
        assert y + height <= HEIGHT
        assert height >= 12


def test_ground_truth_maps_visible_to_thermal() -> None:
    drive = drive_of(seed=0, sequence=DAY[0], foggy=False)
    stage = stage_of(drive)
    maps = paint(stage, camera_at(drive, DAY[1]), DAY[1]).maps
    apparent = warmth(maps, drive, stage.light)
    still = displaced(apparent, np.eye(2, 3))
    moved = displaced(apparent, drive.transform)
    y, x = np.mgrid[30 : HEIGHT - 30, 30 : WIDTH - 30]
    there = np.tensordot(drive.transform, np.stack([x, y, np.ones_like(x)]), 1).astype(np.float32)
    found = cv2.remap(moved, there[0], there[1], cv2.INTER_CUBIC)
    inner = still[30:-30, 30:-30]
    assert np.abs(found - inner).mean() < 0.02 * np.abs(moved[30:-30, 30:-30] - inner).mean()


def test_truth_is_what_was_drawn(raw: Path) -> None:
    assert DATASET.truth is not None
    known = DATASET.truth(raw)
    assert set(known) == set(BROKEN)
    drawn = drive_of(seed=0, sequence="set01/V000", foggy=False).transform
    assert np.array_equal(known["set01/V000"], drawn)


def test_cameras_are_about_six_pixels_apart() -> None:
    corners = np.array([[0, 0, 1], [639, 0, 1], [639, 511, 1], [0, 511, 1]])
    shifts = []
    for one in sequences(sequences_per_set=20, frames_per_sequence=3):
        matrix = drive_of(seed=0, sequence=one.name, foggy=one.foggy).transform
        shifts.append(np.hypot(*(corners @ matrix.T - corners[:, :2]).T).mean())
    assert 5 < np.median(shifts) < 7
    assert max(shifts) < 18


def test_camera_projects_as_a_pinhole() -> None:
    camera = replace(Camera(), x=1.0, horizon=200.0)
    right_and_low = camera.project(np.array([[3.0, 0.6, 10.0]]))
    # 560 px * (3 - 1) m / 10 m = 112 right of 319.5; 560 * (1.6 - 0.6) / 10 = 56 below 200
    np.testing.assert_allclose(right_and_low, [[431.5, 256.0]])


@pytest.mark.parametrize("which", [DAY, NIGHT])
def test_images_have_not_changed(which: tuple[str, int]) -> None:
    drawn = draw_frame(seed=0, sequence=which[0], number=which[1])
    for name, image in (("thermal", drawn.thermal), ("visible", drawn.visible.mean(axis=-1))):
        blocks = image.astype(float).reshape(4, 128, 4, 160).mean(axis=(1, 3))
        assert np.abs(blocks - np.array(GOLDEN[which[0]][name])).mean() < 1
