"""Cropping: one interpolation, visible untouched, windows by seeds, reasons for what is dropped."""

from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest

from thermochroma.errors import BadInput
from thermochroma.images import write_picture
from thermochroma.loading.crops import MANIFEST, Crops
from thermochroma.manifest import CROP_COLUMNS, FRAME_COLUMNS, read_table, write_table
from thermochroma.preparation.cropping import (
    TOO_SMALL,
    Window,
    choose_window,
    crop_all,
    cut_thermal,
    cut_visible,
    fingerprint_shards,
    refuse_too_small,
)

IDENTITY = np.eye(2, 3)


def _waves(height: int, width: int) -> np.ndarray:
    y, x = np.mgrid[:height, :width]
    return (128 + 60 * np.sin(x / 9) + 50 * np.cos(y / 7)).astype(np.uint8)


def test_the_identity_cuts_exactly() -> None:
    thermal = _waves(60, 80)
    cut = cut_thermal(thermal, IDENTITY, Window(zoom=1.0, left=11, top=7, size=32))
    assert np.array_equal(cut, thermal[7:39, 11:43])


def test_a_known_shift_and_scale_are_undone() -> None:
    """The thermal camera sees everything 1.5 times as large and moved; the cut undoes both."""
    matrix = np.array([[1.5, 0.0, 4.0], [0.0, 1.5, -2.0]])
    y, x = np.mgrid[:120, :160]
    seen_x, seen_y = (x - 4.0) / 1.5, (y + 2.0) / 1.5
    thermal = (128 + 60 * np.sin(seen_x / 9) + 50 * np.cos(seen_y / 7)).astype(np.uint8)
    cut = cut_thermal(thermal, matrix, Window(zoom=1.0, left=10, top=8, size=48))
    wanted = _waves(60, 80)[8:56, 10:58]
    assert np.abs(cut.astype(int) - wanted).mean() < 1.0


def test_enlarging_lays_both_spectra_alike() -> None:
    picture = _waves(40, 50)
    window = Window(zoom=2.0, left=20, top=16, size=48)
    thermal = cut_thermal(picture, IDENTITY, window)
    visible = cut_visible(np.repeat(picture[..., None], 3, axis=2), window)
    assert visible.shape == (48, 48, 3)
    assert np.abs(thermal.astype(int) - visible[..., 0]).max() <= 2


def test_the_visible_picture_is_sliced_not_warped() -> None:
    visible = np.random.default_rng(0).integers(0, 256, (50, 60, 3), dtype=np.uint8)
    cut = cut_visible(visible, Window(zoom=1.0, left=5, top=9, size=40))
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


@pytest.fixture
def raw(tmp_path: Path) -> tuple[Path, pd.DataFrame]:
    """Two sequences of four frames, one frame with a defect."""
    random, rows = np.random.default_rng(0), []
    for sequence, split in (("s0", "train"), ("s1", "test")):
        for place in range(4):
            frame = f"{sequence}/{place}"
            grey = random.integers(0, 256, (48, 64), dtype=np.uint8)
            write_picture(tmp_path / f"thermal/{frame}.png", grey)
            colour = cv2.applyColorMap(grey, cv2.COLORMAP_JET)
            write_picture(tmp_path / f"visible/{frame}.png", colour)
            defect = "torn" if frame == "s0/1" else ""
            paths = (f"thermal/{frame}.png", f"visible/{frame}.png")
            facts = (frame, sequence, sequence, "", split, "", "", *paths)
            rows.append((*facts, 64, 48, "", "", "", defect, ""))
    return tmp_path, pd.DataFrame(rows, columns=list(FRAME_COLUMNS))


def _crop(raw: Path, frames: pd.DataFrame, folder: Path, **changes: object) -> pd.DataFrame:
    settings = {"size": 32, "clip_frames": 2, "upscale": False, "seed": 0, "workers": 1} | changes
    transforms = {"s0": IDENTITY, "s1": IDENTITY}
    return crop_all(frames, transforms, raw=raw, folder=folder, **settings)  # type: ignore[arg-type]


def test_shards_hold_what_the_manifest_says(raw: tuple[Path, pd.DataFrame], tmp_path: Path) -> None:
    folder, frames = raw
    plan = _crop(folder, frames, tmp_path / "crops")
    write_table(tmp_path / "crops" / MANIFEST, plan, CROP_COLUMNS)
    crops = Crops(tmp_path / "crops")
    assert list(plan["dropped"]) == ["", "torn", "", "", "", "", "", ""]
    assert list(plan["clip"]) == [0, 0, 1, 1] * 2
    rows = crops.split("train")
    assert list(rows["index"]) == [0, 1, 2]
    for _, row in pd.concat([rows, crops.split("test")]).iterrows():
        whole = cv2.imread(str(folder / f"visible/{row['frame']}.png"))[..., ::-1]
        top, left = int(row["top"]), int(row["left"])
        assert np.array_equal(crops.visible(row), whole[top : top + 32, left : left + 32])
    first, second = (rows.iloc[place] for place in (1, 2))  # one clip: one window
    assert (first["left"], first["top"]) == (second["left"], second["top"])


def test_test_windows_do_not_follow_the_seed(
    raw: tuple[Path, pd.DataFrame], tmp_path: Path
) -> None:
    folder, frames = raw
    plans = [_crop(folder, frames, tmp_path / f"crops{seed}", seed=seed) for seed in (0, 1)]
    corners = [plan[["left", "top"]].astype("Int64") for plan in plans]
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
        texts.append(fingerprint_shards(tmp_path / name))
    assert texts[0] == texts[1] != texts[2]
    assert texts[0].count("\n") == 4


def test_too_small_is_dropped_or_refused(raw: tuple[Path, pd.DataFrame], tmp_path: Path) -> None:
    folder, frames = raw
    plan = _crop(folder, frames, tmp_path / "crops", size=64)
    assert set(plan["dropped"]) == {TOO_SMALL, "torn"}
    with pytest.raises(BadInput, match=r"7 frames .* smaller than the crop of 64 .* s0/0"):
        refuse_too_small(plan, size=64, dataset="mine")


def test_a_table_of_other_columns_is_refused(tmp_path: Path) -> None:
    (tmp_path / "table.csv").write_text("a,b\n1,2\n")
    with pytest.raises(BadInput, match="has the columns"):
        read_table(tmp_path / "table.csv", CROP_COLUMNS)
