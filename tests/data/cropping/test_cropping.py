"""Cropping: one interpolation, visible untouched, windows by seeds, reasons for what is dropped; whole
frames; and that an interrupted cropping goes on to the same bytes."""

import errno
import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pandas as pd
import pytest

from stages.command import run
from stages.crop import main
from tests.examiner import PARAMS, raw_params, write_params
from thermochroma.base.errors import BadInput
from thermochroma.base.files import sha256
from thermochroma.base.images import write_image
from thermochroma.base.lock import exclusive_lock
from thermochroma.base.manifest import CROP_COLUMNS, FRAME_COLUMNS, read_table, write_table
from thermochroma.base.tables import write_csv
from thermochroma.base.workplace import deliver, delivered, discard, workplace
from thermochroma.config.params import read_params
from thermochroma.data.cropping import shards, windows
from thermochroma.data.cropping.cut import cut_thermal, cut_visible
from thermochroma.data.cropping.shards import fingerprint_shards, write_shards
from thermochroma.data.cropping.windows import (
    TOO_SMALL,
    Window,
    assign_shards,
    choose_window,
    plan_full,
    plan_windows,
    refuse_too_small,
)
from thermochroma.data.registration.tables import NUMBERS, TRANSFORM_COLUMNS
from thermochroma.loading.crops import FINGERPRINT, MANIFEST, Crops
from thermochroma.pipeline.crop import prepare

IDENTITY = np.eye(2, 3)
WARP = np.array([[1.01, 0.01, 3.0], [-0.01, 1.01, -2.0]])
PLAN = {"size": 32, "clip_frames": 2, "upscale": False, "seed": 0}


def _waves(height: int, width: int) -> np.ndarray:
    y, x = np.mgrid[:height, :width]
    return (128 + 60 * np.sin(x / 9) + 50 * np.cos(y / 7)).astype(np.uint8)


def _frame(frame: str, split: str, size: tuple[int, int], **changes: str) -> dict[str, Any]:
    """One row of FRAME_COLUMNS; the sequence is what stands before the frame's last part."""
    sequence = frame.rpartition("/")[0]
    row = dict.fromkeys(FRAME_COLUMNS, "") | {"frame": frame, "sequence": sequence, "split": split}
    files = {name: f"{name}/{frame}.png" for name in ("thermal", "visible")}
    return row | files | {"mount": sequence, "width": size[0], "height": size[1]} | changes


def _table(rows: list[dict[str, Any]]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=list(FRAME_COLUMNS)).astype(FRAME_COLUMNS)


def _write_images(raw: Path, frames: pd.DataFrame) -> None:
    random = np.random.default_rng(0)
    columns = (frames[name] for name in ("thermal", "visible", "width", "height"))
    for thermal, visible, width, height in zip(*columns, strict=True):
        grey = random.integers(0, 256, (height, width), dtype=np.uint8)
        write_image(raw / thermal, grey)
        write_image(raw / visible, cv2.applyColorMap(grey, cv2.COLORMAP_JET))


def _cut(plan: pd.DataFrame, raw: Path, folder: Path, matrix: np.ndarray = IDENTITY) -> Crops:
    transforms = dict.fromkeys(plan["mount"], matrix)
    write_shards(plan, transforms, raw=raw, folder=folder, workers=2, title="crop")
    write_table(folder / MANIFEST, plan[[*CROP_COLUMNS]], CROP_COLUMNS)
    return Crops(folder)


def test_the_identity_cuts_exactly() -> None:
    thermal = _waves(60, 80)
    cut = cut_thermal(thermal, IDENTITY, Window(zoom=1.0, left=11, top=7, width=32, height=32))
    assert np.array_equal(cut, thermal[7:39, 11:43])


def test_a_known_shift_and_scale_are_undone() -> None:
    """The thermal camera sees everything 1.5 times as large and moved; the cut undoes both."""
    matrix = np.array([[1.5, 0.0, 4.0], [0.0, 1.5, -2.0]])
    y, x = np.mgrid[:120, :160]
    seen_x, seen_y = (x - 4.0) / 1.5, (y + 2.0) / 1.5
    thermal = (128 + 60 * np.sin(seen_x / 9) + 50 * np.cos(seen_y / 7)).astype(np.uint8)
    cut = cut_thermal(thermal, matrix, Window(zoom=1.0, left=10, top=8, width=48, height=48))
    wanted = _waves(60, 80)[8:56, 10:58]
    assert np.abs(cut.astype(int) - wanted).mean() < 1.0


def test_enlarging_lays_both_spectra_alike() -> None:
    image = _waves(40, 50)
    window = Window(zoom=2.0, left=20, top=16, width=48, height=48)
    thermal = cut_thermal(image, IDENTITY, window)
    visible = cut_visible(np.repeat(image[..., None], 3, axis=2), window)
    assert visible.shape == (48, 48, 3)
    assert np.abs(thermal.astype(int) - visible[..., 0]).max() <= 2


def test_the_visible_image_is_sliced_not_warped() -> None:
    visible = np.random.default_rng(0).integers(0, 256, (50, 60, 3), dtype=np.uint8)
    cut = cut_visible(visible, Window(zoom=1.0, left=5, top=9, width=40, height=40))
    assert np.array_equal(cut, visible[9:49, 5:45])


def test_windows_stay_inside_and_follow_the_seed() -> None:
    bounds = (6, 4, 90, 70)
    found = {seed: choose_window(bounds, size=32, upscale=False, seed=seed) for seed in range(200)}
    for window in found.values():
        assert window is not None
        assert 6 <= window.left <= 90 - 32
        assert 4 <= window.top <= 70 - 32
    assert len({(w.left, w.top) for w in found.values() if w}) > 100
    assert found[7] == choose_window(bounds, size=32, upscale=False, seed=7)


def test_a_small_field_is_refused_or_enlarged() -> None:
    assert choose_window((0, 0, 40, 20), size=32, upscale=False, seed=0) is None
    window = choose_window((0, 0, 40, 20), size=32, upscale=True, seed=0)
    assert window is not None
    assert window.zoom == pytest.approx(1.6)
    assert window.top == 0
    assert choose_window((0, 0, 0, 0), size=32, upscale=True, seed=0) is None


@pytest.mark.parametrize(
    ("size", "clip_frames", "seed", "wanted"),
    [
        (256, 1, 0, [(166, 128), (53, 82), None, (186, 56), (213, 237), (16, 14), (295, 228)]),
        (256, 2, 7, [(149, 17), (149, 17), None, (186, 56), (186, 56), (16, 14), (295, 228)]),
        (600, 1, 0, [(65, 0), (20, 0), None, (73, 0), (83, 0), (6, 0), (125, 14)]),
    ],
)
def test_windows_lie_where_they_always_did(
    size: int, clip_frames: int, seed: int, wanted: list[tuple[int, int] | None]
) -> None:
    """Held since the first version: other windows would be other data under the same name."""
    rows = [
        _frame(f"{sequence}/I{place:05d}", split, (640, 512))
        for sequence, split in (("set00/V000", "train"), ("set08/V001", "validation"))
        for place in range(3)
    ]
    rows[2]["left_out"] = "profile"
    frames = _table([*rows, _frame("set06/V000/I00000", "test", (640, 512))])
    transforms = {"set00/V000": IDENTITY, "set08/V001": IDENTITY, "set06/V000": WARP}
    plan = plan_windows(
        frames, transforms, size=size, clip_frames=clip_frames, upscale=size > 512, seed=seed
    )
    corners = [
        None if reason else (left, top)
        for left, top, reason in zip(plan["left"], plan["top"], plan["dropped"], strict=True)
    ]
    assert corners == wanted
    assert plan["transform"].iloc[-1] == "1.01 0.01 3.0 -0.01 1.01 -2.0"


@pytest.fixture
def raw(tmp_path: Path) -> tuple[Path, pd.DataFrame]:
    """Two sequences of four frames, one frame with a defect."""
    frames = _table(
        [
            _frame(f"{sequence}/{place}", split, (64, 48))
            for sequence, split in (("s0", "train"), ("s1", "test"))
            for place in range(4)
        ]
    )
    frames.loc[1, "defect"] = "torn"
    _write_images(tmp_path / "raw", frames)
    return tmp_path / "raw", frames


def _crop(raw: Path, frames: pd.DataFrame, folder: Path, **changes: Any) -> pd.DataFrame:
    transforms = dict.fromkeys(frames["mount"], IDENTITY)
    plan = assign_shards(plan_windows(frames, transforms, **(PLAN | changes)))
    _cut(plan, raw, folder)
    return plan


def test_shards_hold_what_the_manifest_says(raw: tuple[Path, pd.DataFrame], tmp_path: Path) -> None:
    folder, frames = raw
    plan = _crop(folder, frames, tmp_path / "crops")
    crops = Crops(tmp_path / "crops")
    assert list(plan["dropped"]) == ["", "torn", "", "", "", "", "", ""]
    assert list(plan["clip"]) == [0, 0, 1, 1] * 2
    assert set(plan["shard"]) == {"s0.npy", "s1.npy", ""}
    rows = crops.split("train")
    assert list(rows["index"]) == [0, 1, 2]
    _assert_cut_from(folder, crops)
    first, second = (rows.iloc[place] for place in (1, 2))  # one clip: one window
    assert (first["left"], first["top"]) == (second["left"], second["top"])


def _assert_cut_from(raw: Path, crops: Crops) -> None:
    """Every image of an identity transform is a slice of its raw one."""
    kept = crops.manifest[crops.manifest["dropped"] == ""]
    assert len(kept) > 0
    for _, row in kept.iterrows():
        visible = cv2.imread(str(raw / f"visible/{row['frame']}.png"))[..., ::-1]
        thermal = cv2.imread(str(raw / f"thermal/{row['frame']}.png"), cv2.IMREAD_GRAYSCALE)
        height, width = crops.thermal(row).shape
        rows = slice(int(row["top"]), int(row["top"]) + height)
        columns = slice(int(row["left"]), int(row["left"]) + width)
        assert np.array_equal(crops.visible(row), visible[rows, columns])
        assert np.array_equal(crops.thermal(row), thermal[rows, columns])


def test_long_sequences_are_cut_into_several_shards(
    raw: tuple[Path, pd.DataFrame], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, frames = raw
    monkeypatch.setattr(windows, "SHARD_FRAMES", 3)
    frames = frames.iloc[[0, 4, 2, 5, 3, 6, 1, 7]].reset_index(drop=True)  # sequences interleave
    plan = _crop(folder, frames, tmp_path / "crops")
    assert list(plan["frame"]) == list(frames["frame"])
    assert set(plan.loc[plan["sequence"] == "s0", "shard"]) == {"s0.npy", ""}
    test = plan[plan["sequence"] == "s1"]
    assert list(test["shard"]) == ["s1-000.npy"] * 3 + ["s1-001.npy"]
    assert list(test["index"]) == [0, 1, 2, 0]
    _assert_cut_from(folder, Crops(tmp_path / "crops"))


def test_sequences_whose_shards_would_collide_are_refused() -> None:
    frames = _table([_frame(f"{name}/0", "train", (64, 48)) for name in ("a/b", "a_b")])
    plan = plan_windows(frames, dict.fromkeys(frames["mount"], IDENTITY), **PLAN)
    with pytest.raises(ValueError, match="the same shard name"):
        assign_shards(plan)


def test_test_windows_do_not_follow_the_seed(
    raw: tuple[Path, pd.DataFrame], tmp_path: Path
) -> None:
    folder, frames = raw
    plans = [_crop(folder, frames, tmp_path / f"crops{seed}", seed=seed) for seed in (0, 1)]
    corners = [plan[["left", "top"]] for plan in plans]
    test = plans[0]["split"] == "test"
    assert corners[0][test].equals(corners[1][test])
    assert not corners[0][~test].equals(corners[1][~test])


def test_the_fingerprint_is_that_of_the_pixels(
    raw: tuple[Path, pd.DataFrame], tmp_path: Path
) -> None:
    folder, frames = raw
    texts = []
    for name, seed in (("a", 0), ("b", 0), ("c", 1)):
        _crop(folder, frames, tmp_path / name, seed=seed)
        texts.append(fingerprint_shards(tmp_path / name, workers=2))
    assert texts[0] == texts[1] != texts[2]
    assert texts[0].count("\n") == 4


def test_too_small_is_dropped_or_refused(raw: tuple[Path, pd.DataFrame], tmp_path: Path) -> None:
    folder, frames = raw
    plan = _crop(folder, frames, tmp_path / "crops", size=64)
    assert set(plan["dropped"]) == {TOO_SMALL, "torn"}
    assert plan["left"].isna().all()
    with pytest.raises(BadInput, match=r"7 frames .* smaller than the crop of 64 .* s0/0"):
        refuse_too_small(plan, size=64, dataset="mine")


def test_counts_become_bytes_by_their_tone(tmp_path: Path) -> None:
    counts = np.arange(48 * 64, dtype=np.uint16).reshape(48, 64) + 7000
    (tmp_path / "raw/thermal/s").mkdir(parents=True)
    cv2.imwrite(str(tmp_path / "raw/thermal/s/0.png"), counts)
    write_image(tmp_path / "raw/visible/s/0.png", cv2.applyColorMap(_waves(48, 64), 2))
    frames = _table([_frame("s/0", "train", (64, 48), tone="window 7000 10072")])
    _crop(tmp_path / "raw", frames, tmp_path / "crops")
    crops = Crops(tmp_path / "crops")
    row = crops.split("train").iloc[0]
    top, left = int(row["top"]), int(row["left"])
    wanted = np.rint((counts - 7000.0) / 3072 * 255)[top : top + 32, left : left + 32]
    assert np.array_equal(crops.thermal(row), wanted)


def test_whole_frames_are_cut_to_multiples_of_32(tmp_path: Path) -> None:
    """Two sizes in one sequence, a warped mount, a frame that is dropped, and one for training."""
    frames = _table(
        [
            _frame("s0/0", "test", (130, 70), mount="a"),
            _frame("s0/1", "test", (100, 96), mount="b"),
            _frame("s0/2", "test", (130, 70), mount="a"),
            _frame("s1/0", "validation", (100, 96), mount="c"),
            _frame("s1/1", "validation", (100, 96), mount="c", left_out="profile"),
            _frame("s2/0", "train", (100, 96), mount="b"),
        ]
    )
    transforms = {"a": IDENTITY, "b": IDENTITY, "c": WARP}
    _write_images(tmp_path, frames)
    plan = assign_shards(
        plan_full(frames, transforms, plan_windows(frames, transforms, **(PLAN | {"size": 64})))
    )
    write_shards(plan, transforms, raw=tmp_path, folder=tmp_path / "full", workers=1, title="full")
    write_table(tmp_path / "full" / MANIFEST, plan[[*CROP_COLUMNS]], CROP_COLUMNS)
    crops = Crops(tmp_path / "full")
    assert list(crops.manifest["dropped"]) == ["", "", "", "", "profile"]
    shapes = [crops.visible(row).shape for _, row in crops.split("test").iterrows()]
    assert shapes == [(64, 128, 3), (96, 96, 3), (64, 128, 3)]
    assert list(crops.split("test")["shard"]) == ["s0-000.npy", "s0-001.npy", "s0-000.npy"]
    assert list(crops.split("test")[["left", "top"]].iloc[0]) == [1, 3]
    (row,) = (row for _, row in crops.split("validation").iterrows())
    window = Window(zoom=1.0, left=int(row["left"]), top=int(row["top"]), width=64, height=64)
    thermal = cv2.imread(str(tmp_path / "thermal/s1/0.png"), cv2.IMREAD_GRAYSCALE)
    assert np.array_equal(crops.thermal(row), cut_thermal(thermal, WARP, window))


class Cropped:
    """A small data set of four sequences, and how the stage is run on it."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.frames = _table(
            [
                _frame(f"s{sequence}/{place}", split, (64, 48))
                for sequence, split in enumerate(("train", "train", "validation", "test"))
                for place in range(6)
            ]
        )
        _write_images(root / "raw", self.frames)
        self.hash_images()
        rows = pd.DataFrame({"mount": self.frames["mount"].unique()}).assign(
            **dict.fromkeys(TRANSFORM_COLUMNS.keys() - {"mount", *NUMBERS}, ""),
            **dict(zip(NUMBERS, IDENTITY.ravel(), strict=True)),
        )
        write_table(root / "transforms.csv", rows[[*TRANSFORM_COLUMNS]], TRANSFORM_COLUMNS)
        (root / "code.txt").write_text("code")
        self.set()

    def hash_images(self) -> None:
        """Write the table of frames, as `download` does."""
        for kind in ("thermal", "visible"):
            files = (self.root / "raw" / path for path in self.frames[kind])
            self.frames[f"{kind}_sha256"] = [*map(sha256, files)]
        write_table(self.root / "frames.csv", self.frames, FRAME_COLUMNS)

    def set(self, **changes: Any) -> None:
        params = raw_params()
        params["crop"]["sample"] = {"size": 32, "clip_frames": 1, **changes}
        write_params(self.root / "params.yaml", params)

    def options(self) -> dict[str, Path]:
        names = {
            "params": "params.yaml",
            "frames": "frames.csv",
            "registered": "",
            "code": "code.txt",
        }
        names |= {name: name for name in ("raw", "checkpoints", "crops")}
        return {name: self.root / place for name, place in names.items()} | {
            "metrics": self.root / "metrics.json"
        }

    def crop(self) -> dict[str, str]:
        """Run the stage; the hashes of all that it leaves."""
        main(dataset="sample", **self.options())
        return _hashes(self.root / "crops")

    def begun(self) -> subprocess.Popen:
        command = [sys.executable, "-m", "stages.crop", "--dataset", "sample"]
        for name, path in self.options().items():
            command += [f"--{name}", str(path)]
        return subprocess.Popen(command, cwd=PARAMS.parent, env=_environment())


def _environment() -> dict[str, str]:
    return os.environ | {"PYTHONPATH": os.pathsep.join(["src", "."]), "OMP_NUM_THREADS": "1"}


def _hashes(folder: Path) -> dict[str, str]:
    return {str(p.relative_to(folder)): sha256(p) for p in folder.rglob("*") if p.is_file()}


@pytest.fixture
def cropped(tmp_path: Path) -> Cropped:
    return Cropped(tmp_path / "mine")


def test_killed_twice_it_goes_on_to_the_same_bytes(cropped: Cropped, tmp_path: Path) -> None:
    shutil.copytree(cropped.root, tmp_path / "other")
    other = Cropped(tmp_path / "other")
    wanted = other.crop()
    for stuck in ("s1/1", "s1/4"):
        _kill_while_it_waits_for(cropped, stuck, others=("s0", "s2", "s3"))
        assert not (cropped.root / "crops").exists()
    (place,) = (cropped.root / "checkpoints").glob("*/")
    assert list(
        place.rglob(".part-*")
    )  # what a killed process leaves, and the next must not deliver
    kept = {path.name: path.stat() for path in place.glob("crops/visible/s*.npy")}
    assert set(kept) == {"s0.npy", "s2.npy", "s3.npy"}
    assert cropped.crop() == wanted
    assert (cropped.root / "metrics.json").read_text() == (other.root / "metrics.json").read_text()
    for name, before in kept.items():
        after = (cropped.root / "crops/visible" / name).stat()
        assert (after.st_ino, after.st_mtime_ns) == (before.st_ino, before.st_mtime_ns)
    assert not [name for name in wanted if ".part-" in name]
    assert not list(place.rglob(".part-*"))


def test_crops_are_kept_until_they_are_recorded(
    cropped: Cropped, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """DVC removes the outputs before a stage runs, and records them some time after it has ended."""
    wanted, counts = cropped.crop(), (cropped.root / "metrics.json").read_bytes()
    (place,) = (cropped.root / "checkpoints").iterdir()
    shutil.rmtree(cropped.root / "crops")  # killed before the record: `dvc repro` begins again
    (cropped.root / "metrics.json").unlink()

    def never(*_: Any) -> None:
        raise AssertionError("cut again")

    monkeypatch.setattr(shards, "_write", never)
    capsys.readouterr()
    assert cropped.crop() == wanted
    assert "was cut before" in capsys.readouterr().out
    assert (cropped.root / "metrics.json").read_bytes() == counts
    assert delivered(place.parent) == {place: hashlib.md5(counts).hexdigest()}
    with exclusive_lock(place):  # another process works there
        discard([place])
    assert place.exists()
    discard([place])
    assert not list(place.parent.iterdir())
    assert _hashes(cropped.root / "crops") == wanted


def test_crops_of_other_settings_are_not_kept(cropped: Cropped) -> None:
    cropped.crop()
    (before,) = (cropped.root / "checkpoints").iterdir()
    cropped.set(size=16)
    cropped.crop()
    (after,) = (cropped.root / "checkpoints").iterdir()
    assert after != before


def _kill_while_it_waits_for(cropped: Cropped, frame: str, *, others: tuple[str, ...]) -> None:
    """A pipe in the place of an image holds the cropping up inside one shard, for ever."""
    path = cropped.root / f"raw/visible/{frame}.png"
    path.rename(path.with_suffix(".kept"))
    os.mkfifo(path)
    process = cropped.begun()
    until = time.monotonic() + 120
    while not all(  # in both spectra: one alone is cut again
        len(list(cropped.root.glob(f"checkpoints/*/crops/*/{name}.npy"))) == 2 for name in others
    ):
        assert time.monotonic() < until, "no shard was finished"
        assert process.poll() is None, "the cropping ended"
        time.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    process.wait()
    path.unlink()
    path.with_suffix(".kept").rename(path)


def test_a_full_disk_keeps_what_is_finished(
    cropped: Cropped, monkeypatch: pytest.MonkeyPatch
) -> None:
    cuts = [0]

    def cut_until_full(visible: np.ndarray, window: Window) -> np.ndarray:
        cuts[0] += 1
        if cuts[0] > 15:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return cut_visible(visible, window)

    options = [
        word for name, path in cropped.options().items() for word in (f"--{name}", str(path))
    ]
    monkeypatch.setattr(sys, "argv", ["crop", "--dataset", "sample", *options])
    monkeypatch.setattr(os, "cpu_count", lambda: 1)
    monkeypatch.setattr(shards, "cut_visible", cut_until_full)
    with pytest.raises(SystemExit, match="no space is left on the disk"):
        run(main)
    left = sorted(path.name for path in cropped.root.glob("checkpoints/*/crops/*/*.npy"))
    assert left == ["s0.npy", "s0.npy", "s1.npy", "s1.npy"]
    assert not (cropped.root / "crops").exists()
    monkeypatch.setattr(shards, "cut_visible", cut_visible)
    assert len(cropped.crop()) == 2 * 8 + 2


def test_other_settings_or_code_reuse_nothing(cropped: Cropped, tmp_path: Path) -> None:
    fingerprints = []
    for change in (None, lambda: cropped.set(full=True), lambda: _touch(cropped.root / "code.txt")):
        if change is not None:
            change()
        names = ("frames", "registered", "raw", "code")
        files = {name: path for name, path in cropped.options().items() if name in names}
        settings = read_params(cropped.root / "params.yaml").crop["sample"]
        found = prepare("sample", settings, upscale=False, seed=0, on_defect="drop", **files)
        fingerprints.append(found.fingerprint)
    assert len(set(fingerprints)) == 3


def _touch(path: Path) -> None:
    path.write_text(path.read_text() + "\n")


def test_the_stage_counts_and_writes_whole_frames(cropped: Cropped) -> None:
    assert FINGERPRINT in cropped.crop()
    counts = json.loads((cropped.root / "metrics.json").read_text())
    assert counts["kept_by_split"] == {"train": 12, "validation": 6, "test": 6}
    assert counts["frozen"] == 0
    assert "full" not in counts
    cropped.set(full=True)
    left = cropped.crop()
    assert json.loads((cropped.root / "metrics.json").read_text())["full"] == 12
    assert {"full/manifest.csv", "full/fingerprint.txt", "full/thermal/s3.npy"} <= set(left)
    assert Crops(cropped.root / "crops/full").split("test").shape[0] == 6
    assert "full/" not in (cropped.root / "crops" / FINGERPRINT).read_text()


def test_the_same_is_counted_with_and_without_dropping(cropped: Cropped) -> None:
    """Thumbnails are noted while frames are cut, or taken before: they are the same."""
    for place in (2, 3, 5):
        shutil.copy(
            cropped.root / "raw/thermal/s2/1.png", cropped.root / f"raw/thermal/s2/{place}.png"
        )
    cropped.hash_images()
    cropped.crop()
    counts = json.loads((cropped.root / "metrics.json").read_text())
    assert (counts["frozen"], counts["longest_frozen_run"], counts["kept"]) == (2, 2, 24)
    cropped.set(dedup={"threshold": 1.0})
    cropped.crop()
    dropped = json.loads((cropped.root / "metrics.json").read_text())
    assert (dropped["frozen"], dropped["longest_frozen_run"], dropped["kept"]) == (2, 2, 22)
    assert dropped["dedup_threshold"] == 1.0
    cropped.set(dedup={"images": 16})
    cropped.crop()
    assert json.loads((cropped.root / "metrics.json").read_text())["kept_by_split"] == {
        "train": 12,
        "validation": 4,
        "test": 6,
    }


def test_one_process_works_at_one_place(tmp_path: Path) -> None:
    with (
        workplace(tmp_path / "crop-x-1"),
        pytest.raises(BadInput, match=r"another process .*crop-x-1"),
        workplace(tmp_path / "crop-x-1", patience_seconds=0.2),
    ):
        pass
    assert not list(tmp_path.iterdir())


def test_what_is_made_on_another_disk_is_copied(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "made/thermal").mkdir(parents=True)
    (tmp_path / "made/thermal/s.npy").write_text("pixels")
    (tmp_path / "crops").mkdir()
    (tmp_path / "crops/old").touch()
    rename = Path.rename

    def refuse(path: Path, target: Path) -> Path:
        if path == tmp_path / "made":
            raise OSError(errno.EXDEV, os.strerror(errno.EXDEV))
        return rename(path, target)

    monkeypatch.setattr(Path, "rename", refuse)
    monkeypatch.setattr(os, "link", lambda one, other: refuse(tmp_path / "made", other))
    assert not deliver(tmp_path / "made", tmp_path / "crops")
    assert _hashes(tmp_path / "crops") == _hashes(tmp_path / "made")


def test_a_table_of_other_columns_is_refused(tmp_path: Path) -> None:
    write_csv(tmp_path / "table.csv", pd.DataFrame({"a": [1], "b": [2]}))
    with pytest.raises(BadInput, match="has the columns"):
        read_table(tmp_path / "table.csv", CROP_COLUMNS)


@pytest.mark.parametrize("kind", ["thermal", "visible"])
@pytest.mark.parametrize("changes", [{}, {"dedup": {"threshold": 1.0}}])
def test_an_image_that_was_exchanged_after_the_download_is_refused(
    tmp_path: Path, kind: str, changes: dict[str, Any]
) -> None:
    made = Cropped(tmp_path)
    made.set(**changes)
    one, other = (tmp_path / "raw" / path for path in made.frames[kind].iloc[[1, 7]])
    one.write_bytes(other.read_bytes())
    with pytest.raises(
        BadInput, match=rf"{kind}/s0/1\.png is another file .*dvc repro -f download"
    ):
        made.crop()
