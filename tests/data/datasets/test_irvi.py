"""IRVI: a layout read from words, strips that are cut once, pairs that must agree, and the splits."""

import shutil
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.made_data import irvi_counts, make_irvi
from thermochroma.base.errors import BadInput
from thermochroma.base.files import sha256
from thermochroma.base.images import read_visible
from thermochroma.contract.dataset import Frame, load_dataset
from thermochroma.data.acquisition import pairing
from thermochroma.data.acquisition.inspect import inspect
from thermochroma.data.datasets.irvi import PUBLISHED, IrviSettings

DATASET = load_dataset("irvi")
FEW = {group: 6 if group.endswith("train") else 4 for group in PUBLISHED}
DRIVES = {f"traffic/{drive}/train": 5 for drive in ("2", "10", "9")}


def made(tmp_path: Path, counts: Mapping[str, int], **options: object) -> tuple[IrviSettings, Path]:
    """Settings whose source holds `counts`, and the raw folder, filled."""
    make_irvi(tmp_path / "copy", counts, size=24, **options)  # type: ignore[arg-type]
    return acquired(tmp_path)


def acquired(tmp_path: Path) -> tuple[IrviSettings, Path]:
    settings = IrviSettings(source=str(tmp_path / "copy"), allow_partial=True)
    raw = tmp_path / "data" / "irvi"
    DATASET.acquire(settings, raw)
    return settings, raw


def frames_of(raw: Path, profile: str = "joint") -> list[Frame]:
    return list(DATASET.frames(IrviSettings(profile=profile, allow_partial=True), raw))


def content(folder: Path) -> dict[str, str]:
    files = (path for path in sorted(folder.rglob("*")) if path.is_file())
    return {path.relative_to(folder).as_posix(): sha256(path) for path in files}


@pytest.mark.parametrize("stride", [1, 2, 3])
def test_strips_become_the_frames_that_they_were_made_of(stride: int, tmp_path: Path) -> None:
    _, raw = made(tmp_path, {"traffic/train": 9}, stride=stride)
    cut = sorted((raw / "traffic/train/visible").iterdir())
    count = 9 if stride != 2 else 3 + 2 * 3  # strips at 0, 2, 4, 6: the last ends at 8
    assert len(cut) == count
    make_irvi(tmp_path / "single", {"traffic/train": 9}, size=24, strips=False)
    single = sorted((tmp_path / "single/traffic/trainB").iterdir())
    for one, other in zip(cut, single, strict=True):
        assert np.array_equal(read_visible(one), read_visible(other))
    assert len(list((raw / "traffic/train/thermal").iterdir())) == count


def test_single_frames_are_copied_byte_by_byte(tmp_path: Path) -> None:
    _, raw = made(tmp_path, {"traffic/test": 3}, suffix=".jpg")
    for letter, kind in (("A", "thermal"), ("B", "visible")):
        published = content(tmp_path / f"copy/traffic/test{letter}")
        assert content(raw / "traffic/test" / kind) == published
        assert len(published) == 3


def test_a_second_run_does_nothing_and_a_killed_one_continues(tmp_path: Path) -> None:
    settings, raw = made(tmp_path, FEW)
    before = content(raw)
    stamp = (raw / "traffic/train").stat().st_mtime_ns
    shutil.rmtree(raw / "monitoring/sub-2/train")  # as if the kill had come before it
    (raw / "monitoring/sub-2/.part-train-x/thermal").mkdir(parents=True)
    DATASET.acquire(settings, raw)
    assert content(raw) == before
    assert (raw / "traffic/train").stat().st_mtime_ns == stamp
    assert not list(raw.rglob(".part-*"))


def test_a_copy_with_more_is_cut_anew(tmp_path: Path) -> None:
    settings, raw = made(tmp_path, {"traffic/test": 3})
    make_irvi(tmp_path / "copy", {"traffic/test": 5}, size=24)
    DATASET.acquire(settings, raw)
    assert len(frames_of(raw)) == 5


@pytest.mark.parametrize(
    "folder, part",
    [
        ("IRVI/traffic/trainA", "traffic/train"),
        ("Traffic_train/A", "traffic/train"),
        ("data/monitoring/sub_3/test/infrared", "monitoring/sub-3/test"),
        ("sub-5/testA", "monitoring/sub-5/test"),
        ("test/ir/traffic/07", "traffic/07/test"),
    ],
)
def test_words_in_the_path_tell_the_part(folder: str, part: str, tmp_path: Path) -> None:
    make_irvi(tmp_path / "made", {"traffic/train": 3}, size=24, strips=False)
    visible = folder.replace("A", "B").replace("infrared", "visible").replace("ir/", "vis/")
    for letter, place in (("A", folder), ("B", visible)):
        shutil.copytree(tmp_path / f"made/traffic/train{letter}", tmp_path / "copy" / place)
    Image.new("RGB", (9, 9)).save(tmp_path / "copy/figure.png")  # tells nothing: passed over
    _, raw = acquired(tmp_path)
    assert {frame.thermal.split("/thermal/")[0] for frame in frames_of(raw)} == {part}


def test_words_that_tell_nothing_are_refused(tmp_path: Path) -> None:
    (tmp_path / "copy/one").mkdir(parents=True)
    Image.new("RGB", (9, 9)).save(tmp_path / "copy/one/1.png")
    with pytest.raises(BadInput, match=r"1 images, .*monitoring/sub-1/trainA; rename"):
        acquired(tmp_path)


@pytest.mark.parametrize("group", ["traffic", "monitoring/sub-1"])
def test_pairs_in_another_order_are_refused(
    group: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pairing, "LOOKED_AT", 6)
    counts = {f"{group}/train": 40}
    with pytest.raises(BadInput, match=rf"images of {group}/train of IRVI agree no better"):
        made(tmp_path, counts, shuffled=True, strips=False)
    assert not frames_exist(tmp_path)
    shutil.rmtree(tmp_path / "copy")
    _, raw = made(tmp_path, counts, shuffled=False, strips=False)
    assert len(frames_of(raw)) == 40


def frames_exist(tmp_path: Path) -> bool:
    return any((tmp_path / "data").rglob("*.png"))


def test_a_missing_twin_shows(tmp_path: Path) -> None:
    make_irvi(tmp_path / "copy", {"traffic/test": 5}, size=24)
    (tmp_path / "copy/traffic/testA/000001.png").unlink()
    (tmp_path / "copy/traffic/testB/000003.png").unlink()
    _, raw = acquired(tmp_path)
    defects = inspect(frames_of(raw), raw, on_defect="drop")["defect"]
    gaps = {1: "thermal image is missing", 3: "visible image is missing"}
    assert list(defects) == [gaps.get(place, "") for place in range(5)]


def test_a_broken_strip_is_kept_as_it_is_and_found(tmp_path: Path) -> None:
    make_irvi(tmp_path / "copy", {"traffic/train": 12}, size=24, stride=3)
    path = tmp_path / "copy/traffic/trainA/000001.png"
    path.write_bytes(path.read_bytes()[:400])
    _, raw = acquired(tmp_path)
    table = inspect(frames_of(raw), raw, on_defect="drop")
    assert [frame.rpartition("/")[2] for frame in table["frame"]][2:5] == [
        "000000_2", "000001", "000002_0"
    ]  # fmt: skip
    assert list(table["defect"] != "") == [place == 3 for place in range(10)]


def test_names_that_differ_pair_by_order_if_there_are_as_many() -> None:
    thermal = [Path(f"ir_{number}.png") for number in (10, 9, 2)]
    visible = [Path(f"frame-{letter}.png") for letter in "abc"]
    assert pairing.paired(thermal, visible, where="here") == [
        (thermal[2], visible[0]), (thermal[1], visible[1]), (thermal[0], visible[2])
    ]  # fmt: skip
    with pytest.raises(BadInput, match="here has 3 thermal and 2 visible images"):
        pairing.paired(thermal, visible[:2], where="here")


def test_names_go_before_order() -> None:
    thermal, visible = [Path("ir_1.png"), Path("ir_2.png")], [Path("vis_2.jpg")]
    assert pairing.paired(thermal, visible, where="here") == [
        (thermal[0], None), (thermal[1], visible[0])
    ]  # fmt: skip
    with pytest.raises(BadInput, match="two images called 1"):
        pairing.paired([Path("a/1.png"), Path("b/1.png")], visible, where="here")


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Every part, with empty files, and three drives whose names tell them apart."""
    raw = tmp_path_factory.mktemp("irvi")
    for group, count in {**irvi_counts(0.05), **DRIVES}.items():
        for kind in ("thermal", "visible"):
            (raw / group / kind).mkdir(parents=True)
            for number in range(count):
                (raw / group / kind / f"{number:05d}.png").touch()
    return raw


@pytest.mark.parametrize("profile", ["joint", "loso", "clean"])
def test_no_sequence_stands_in_two_splits(profile: str, whole: Path) -> None:
    frames = frames_of(whole, profile)
    assert len(frames) == len({frame.frame for frame in frames})
    splits: dict[str, set[str]] = {}
    for frame in frames:
        splits.setdefault(frame.sequence, set()).add(frame.split)
        if profile == "clean":  # nor does a recording
            splits.setdefault(frame.mount, set()).add(frame.split)
    assert all(len(each) == 1 for each in splits.values())
    assert {split for each in splits.values() for split in each} == {"train", "validation", "test"}


def test_joint_is_the_authors_split(whole: Path) -> None:
    frames = frames_of(whole)
    assert all((frame.split == "test") == ("/test/" in frame.thermal) for frame in frames)
    ends = [frame.frame for frame in frames if frame.sequence == "traffic/train-end"]
    assert ends == [f"traffic/train/{number:05d}" for number in range(808, 850)]  # the last 5 %


def test_one_place_is_left_out_of_loso(whole: Path) -> None:
    for frame in frames_of(whole, "loso"):
        assert (frame.split == "test") == frame.frame.startswith("monitoring/sub-5/")


def test_clean_holds_out_whole_recordings(whole: Path) -> None:
    splits = {frame.mount: frame.split for frame in frames_of(whole, "clean")}
    assert splits == {
        **{f"monitoring/sub-{number}": "train" for number in (1, 2, 3)},
        **{"monitoring/sub-4": "validation", "monitoring/sub-5": "test"},
        **{"traffic": "train", "traffic/2": "train"},
        **{"traffic/9": "validation", "traffic/10": "test"},
    }


def test_remarks_compare_with_the_published_table(tmp_path: Path) -> None:
    settings, raw = made(tmp_path, {**DRIVES, "monitoring/sub-1/test": 3}, strips=False)
    table = inspect(DATASET.frames(settings, raw), raw, on_defect="drop")
    assert DATASET.remarks is not None
    said = list(DATASET.remarks(settings, table))
    assert len(said) == len(PUBLISHED)
    assert said[0] == "traffic/train has 15 frames, the published data 17000"
    assert "monitoring/sub-1/test has 3 frames, the published data 347" in said


def test_facts_come_from_the_path(tmp_path: Path) -> None:
    facts = DATASET.facts(IrviSettings(), tmp_path)
    assert facts("traffic/train/0").scene == "a motorway seen from a car"
    assert facts("monitoring/sub-1/train/0").time == ""


def test_without_data_the_next_step_is_named(tmp_path: Path) -> None:
    with pytest.raises(
        BadInput, match=r"drive\.google\.com.*pan\.baidu\.com.*sources\.irvi\.source"
    ):
        DATASET.acquire(IrviSettings(addresses=()), tmp_path / "irvi")
    with pytest.raises(BadInput, match="holds no frames of IRVI"):
        DATASET.frames(IrviSettings(), tmp_path / "irvi")


def test_a_folder_put_there_by_hand_is_never_removed(tmp_path: Path) -> None:
    mine = tmp_path / "data/irvi/mine.txt"
    mine.parent.mkdir(parents=True)
    mine.touch()
    with pytest.raises(BadInput, match="put there by hand"):
        made(tmp_path, {"traffic/test": 3})
    assert mine.exists()
