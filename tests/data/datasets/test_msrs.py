"""MSRS: its layout, its two splits, and what is refused."""

from pathlib import Path

import pytest

from tests.made_data import make_msrs
from thermochroma.base.errors import BadInput
from thermochroma.contract.dataset import Facts, load_dataset
from thermochroma.data.acquisition.inspect import inspect
from thermochroma.data.datasets.msrs import MsrsSettings

DATASET = load_dataset("msrs")
NUMBERS = range(1, 1570)


@pytest.fixture(scope="module")
def names(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """All numbers as empty files: day first, then night; every fourth for testing."""
    root = tmp_path_factory.mktemp("msrs")
    for number in NUMBERS:
        for kind in ("ir", "vi"):
            part = "test" if number % 4 == 0 else "train"
            path = root / part / kind / f"{number:05d}{'D' if number < 800 else 'N'}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch()
    return root


@pytest.mark.parametrize("profile", ["blocks", "authors"])
def test_no_sequence_stands_in_two_splits(profile: str, names: Path) -> None:
    frames = DATASET.frames(MsrsSettings.model_validate({"profile": profile}), names)
    assert len(frames) == len({frame.frame for frame in frames}) == len(NUMBERS)
    splits: dict[str, set[str]] = {}
    for frame in frames:
        splits.setdefault(frame.sequence, set()).add(frame.split)
    assert all(len(each) == 1 for each in splits.values())
    assert {split for each in splits.values() for split in each} == {"train", "validation", "test"}
    for split in ("train", "validation", "test"):  # both times in each
        assert {frame.time for frame in frames if frame.split == split} == {"day", "night"}


def test_blocks_part_neighbours_and_the_authors_do_not(names: Path) -> None:
    apart = {}
    for profile in ("blocks", "authors"):
        frames = DATASET.frames(MsrsSettings.model_validate({"profile": profile}), names)
        split = {int(frame.frame[:5]): frame.split for frame in frames}
        tests = [number for number in NUMBERS[:-1] if split[number] == "test"]
        apart[profile] = sum(split[number + 1] != "test" for number in tests) / len(tests)
    assert apart["authors"] == 1
    assert apart["blocks"] <= 1 / 50


def test_the_authors_keep_their_test_images(names: Path) -> None:
    frames = DATASET.frames(MsrsSettings(profile="authors"), names)
    assert all((frame.split == "test") == frame.thermal.startswith("test/") for frame in frames)


def test_a_copy_goes_through_inspection(tmp_path: Path) -> None:
    make_msrs(tmp_path / "copy", 12)
    settings, raw = MsrsSettings(source=str(tmp_path / "copy")), tmp_path / "raw"
    DATASET.acquire(settings, raw)
    (raw / "test/ir/00004D.png").unlink()
    frames = DATASET.frames(settings, raw)
    table = inspect(frames, raw, on_defect="drop")
    assert list(table["defect"]) == [*[""] * 3, "thermal image is missing", *[""] * 8]
    assert DATASET.facts(settings, raw)("00001D") == Facts(time="day", scene="a street scene")
    assert DATASET.remarks is not None
    assert list(DATASET.remarks(settings, table)) == [
        "train has 9 frames, the published data 1083",
        "test has 3 frames, the published data 361",
    ]


def test_other_names_and_empty_folders_are_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"train/ir does not exist; .*sources\.msrs\.source"):
        DATASET.frames(MsrsSettings(), tmp_path)
    make_msrs(tmp_path, 4)
    (tmp_path / "train/vi/1.png").touch()
    with pytest.raises(BadInput, match=r"1 is no name of an MSRS image"):
        DATASET.frames(MsrsSettings(), tmp_path)


def test_half_a_copy_is_refused(tmp_path: Path) -> None:
    (tmp_path / "copy/train/ir").mkdir(parents=True)
    with pytest.raises(BadInput, match="lacks `train/vi` and `test/ir` and `test/vi`"):
        DATASET.acquire(MsrsSettings(source=str(tmp_path / "copy")), tmp_path / "raw")
