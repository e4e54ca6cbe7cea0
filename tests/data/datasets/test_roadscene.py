"""RoadScene: bringing it to disk, its split, and the inspection of its frames."""

import shutil
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from thermochroma.base.errors import BadInput
from thermochroma.base.files import sha256
from thermochroma.base.manifest import FRAME_COLUMNS, read_table, write_table
from thermochroma.contract.dataset import Facts, Frame, load_dataset
from thermochroma.data.acquisition.inspect import inspect
from thermochroma.data.datasets.roadscene import THERMAL, VISIBLE, RoadSceneSettings

DATASET = load_dataset("roadscene")
TEST_NUMBERS = """
00977 00993 01022 01130 01274 01415 01463 04208 04215 04229 04269 04285 04302 04319 04354 04370
04412 04424 04484 04512 04514 05857 05872 05879 05893 05914 05924 05955 05987 07360 07365 07371
07399 07427 07428 07433 07732 07747 07786 07809
"""
NAMES = ("FLIR_00006", "FLIR_00018", "FLIR_00060", "FLIR_04593", "FLIR_video_00977")


def write_pair(root: Path, name: str, *, seed: int, size: tuple[int, int] = (24, 32)) -> None:
    noise = np.random.default_rng(seed).integers(0, 256, (*size, 3), dtype=np.uint8)
    Image.fromarray(noise[..., 0]).save(root / THERMAL / f"{name}.jpg")
    Image.fromarray(noise).save(root / VISIBLE / f"{name}.jpg")


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A small local copy as published, with the stray file."""
    root = tmp_path / "copy"
    for folder in (THERMAL, VISIBLE, "infrared"):
        (root / folder).mkdir(parents=True)
    (root / VISIBLE / "Thumbs.db").write_bytes(b"thumbs")
    for seed, name in enumerate(NAMES):
        write_pair(root, name, seed=seed)
    return root


@pytest.fixture
def archive(copy: Path, tmp_path: Path) -> Path:
    path = tmp_path / "master.zip"
    with zipfile.ZipFile(path, "w") as opened:
        for file in sorted(copy.rglob("*")):
            opened.write(file, Path("RoadScene-master") / file.relative_to(copy))
    return path


def content(folder: Path) -> dict[str, str]:
    return {
        path.relative_to(folder).as_posix(): sha256(path)
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not path.name.startswith(".")
    }


def frames_of(root: Path) -> list[Frame]:
    return list(DATASET.frames(RoadSceneSettings(), root))


def refused(source: Path | str, raw: Path, pattern: str) -> None:
    with pytest.raises(BadInput, match=pattern):
        DATASET.acquire(RoadSceneSettings(source=str(source)), raw)


def test_a_local_folder_is_used_in_its_place(copy: Path, tmp_path: Path) -> None:
    before, raw = content(copy), tmp_path / "raw" / "roadscene"
    for _ in range(2):
        DATASET.acquire(RoadSceneSettings(source=str(copy)), raw)
        assert raw.is_symlink()
        assert raw.resolve() == copy
    assert content(copy) == before


def test_the_layout_is_found_one_folder_below(copy: Path, tmp_path: Path) -> None:
    above = tmp_path / "above"
    above.mkdir()
    copy.rename(above / "RoadScene-master")
    DATASET.acquire(RoadSceneSettings(source=str(above)), tmp_path / "raw")
    assert (tmp_path / "raw").resolve() == above / "RoadScene-master"


def test_an_archive_is_unpacked_once(copy: Path, archive: Path, tmp_path: Path) -> None:
    raw, settings = tmp_path / "raw" / "roadscene", RoadSceneSettings(source=str(archive))
    DATASET.acquire(settings, raw)
    assert content(raw) == content(copy)
    (raw / "ours").touch()
    DATASET.acquire(settings, raw)
    assert (raw / "ours").exists()
    assert [path.name for path in raw.parent.iterdir()] == ["roadscene"]


def test_another_source_takes_the_place(copy: Path, archive: Path, tmp_path: Path) -> None:
    raw = tmp_path / "raw" / "roadscene"
    before = content(copy)
    for source in (archive, copy, archive):
        DATASET.acquire(RoadSceneSettings(source=str(source)), raw)
        assert raw.is_symlink() == (source == copy)
        assert content(raw) == before
    assert content(copy) == before  # the link was replaced, not what it led to


def test_a_changed_archive_is_unpacked_anew(copy: Path, archive: Path, tmp_path: Path) -> None:
    raw, settings = tmp_path / "raw" / "roadscene", RoadSceneSettings(source=str(archive))
    DATASET.acquire(settings, raw)
    with zipfile.ZipFile(archive, "a") as opened:
        opened.writestr(f"RoadScene-master/{THERMAL}/FLIR_00100.jpg", b"more")
    DATASET.acquire(settings, raw)
    assert (raw / THERMAL / "FLIR_00100.jpg").read_bytes() == b"more"


def test_a_folder_put_there_by_hand_is_used_and_never_removed(
    copy: Path, archive: Path, tmp_path: Path
) -> None:
    raw = tmp_path / "raw"
    shutil.copytree(copy, raw)
    DATASET.acquire(RoadSceneSettings(addresses=()), raw)
    refused(archive, raw, "put there by hand")
    refused(copy, raw, "put there by hand")
    assert content(raw) == content(copy)


def test_a_bad_source_ends_with_a_sentence_and_changes_nothing(
    copy: Path, archive: Path, tmp_path: Path
) -> None:
    raw = tmp_path / "raw" / "roadscene"
    DATASET.acquire(RoadSceneSettings(source=str(archive)), raw)
    before = content(raw)
    (tmp_path / "empty").mkdir()
    (tmp_path / "text").write_text("no archive")
    with zipfile.ZipFile(tmp_path / "other.zip", "w") as other:
        other.writestr("a", b"")
    (tmp_path / "half.zip").write_bytes(archive.read_bytes()[:2000])
    shutil.rmtree(copy / THERMAL)
    refused(tmp_path / "nowhere", raw, "nowhere', which does not exist")
    refused(tmp_path / "empty", raw, "empty is empty; a folder with `crop_LR_visible`")
    refused(tmp_path / "text", raw, "neither a folder nor an archive")
    refused(tmp_path / "other.zip", raw, "lacks `crop_LR_visible` and `cropinfrared`")
    refused(tmp_path / "half.zip", raw, "cannot be read")
    refused(copy, raw, "lacks `cropinfrared`")
    assert content(raw) == before
    assert [path.name for path in raw.parent.iterdir()] == ["roadscene"]


def test_without_an_address_the_next_step_is_named(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"sources\.<data set>\.source"):
        DATASET.acquire(RoadSceneSettings(addresses=()), tmp_path / "raw")


def test_the_split_is_the_published_rule(tmp_path: Path) -> None:
    (tmp_path / THERMAL).mkdir()
    (tmp_path / VISIBLE).mkdir()
    others = ["00006", "00976", "01464", "04593", "04735", "07968", "09652"]
    for name in [*TEST_NUMBERS.split(), *others, "video_00977", "video_04215"]:
        (tmp_path / VISIBLE / f"FLIR_{name}.jpg").touch()
        (tmp_path / THERMAL / f"FLIR_{name}.jpg").touch()
    frames = frames_of(tmp_path)
    split = {frame.frame.removeprefix("FLIR_"): frame.split for frame in frames}
    assert [name for name in split if split[name] == "test"] == TEST_NUMBERS.split()
    assert [name for name in split if split[name] == "validation"] == ["04593", "04735", "07968"]
    tests = [frame for frame in frames if frame.split == "test"]
    assert [frame.time for frame in tests].count("night") == 19


def test_folds_test_every_frame_but_the_videos_once_and_part_no_sequence(tmp_path: Path) -> None:
    for folder in (THERMAL, VISIBLE):
        (tmp_path / folder).mkdir()
        for name in [
            *(f"{number + step:05d}" for number in range(0, 8000, 100) for step in (0, 20)),
            "video_00977",
        ]:
            (tmp_path / folder / f"FLIR_{name}.jpg").touch()
    everything, tested = {frame.frame for frame in frames_of(tmp_path)}, []
    for fold in range(1, 6):
        settings = RoadSceneSettings(profile=f"fold_{fold}")
        frames = DATASET.frames(settings, tmp_path)
        assert {frame.frame for frame in frames} == everything
        splits: dict[str, set[str]] = {}
        for frame in frames:
            splits.setdefault(frame.sequence, set()).add(frame.split)
        assert all(len(one) == 1 for one in splits.values())
        assert splits["video"] == {"train"}
        assert {split for one in splits.values() for split in one} == {
            "train",
            "validation",
            "test",
        }
        tested += [frame.frame for frame in frames if frame.split == "test"]
        assert DATASET.remarks(settings, pd.DataFrame({"split": ["test"]})) == []
    assert sorted(tested) == sorted(everything - {"FLIR_video_00977"})


def test_frames_stand_in_sequences_within_one_split(copy: Path) -> None:
    (copy / THERMAL / "FLIR_00060.jpg").unlink()  # its twin still names it
    write_pair(copy, "FLIR_00111", seed=9)  # 51 beyond 60
    frames = frames_of(copy)
    assert [frame.sequence for frame in frames] == [
        *["block_00006"] * 3, "block_00111", "block_04593", "video"
    ]  # fmt: skip
    assert frames[2] == Frame(
        frame="FLIR_00060",
        sequence="block_00006",
        mount="FLIR_00060",
        split="train",
        place="",
        time="day",
        thermal="cropinfrared/FLIR_00060.jpg",
        visible="crop_LR_visible/FLIR_00060.jpg",
    )


def test_names_of_other_images_are_refused(copy: Path) -> None:
    (copy / VISIBLE / "holiday.jpg").touch()
    with pytest.raises(BadInput, match=r"holiday is no name of a RoadScene image"):
        frames_of(copy)


def test_facts_need_no_visible_image(copy: Path) -> None:
    shutil.rmtree(copy / VISIBLE)
    facts = DATASET.facts(RoadSceneSettings(), copy)
    assert facts("FLIR_06099") == Facts(time="", scene="a street scene", details=())


def test_good_frames_are_listed_with_their_hashes(copy: Path, tmp_path: Path) -> None:
    table = inspect(frames_of(copy), copy, on_defect="refuse")
    assert list(table["frame"]) == list(NAMES)
    assert set(table["defect"]) == {""}
    expected = sha256(copy / VISIBLE / f"{NAMES[1]}.jpg")
    assert table["visible_sha256"][1] == expected
    write_table(tmp_path / "frames.csv", table, FRAME_COLUMNS)
    assert read_table(tmp_path / "frames.csv", FRAME_COLUMNS).equals(table)


def spoil(copy: Path, kind: str) -> None:
    """Make FLIR_00018 defective."""
    thermal, visible = (copy / folder / "FLIR_00018.jpg" for folder in (THERMAL, VISIBLE))
    grey = Image.open(visible).convert("L")
    actions = {
        "thermal missing": lambda: thermal.unlink(),
        "visible missing": lambda: visible.unlink(),
        "truncated": lambda: thermal.write_bytes(thermal.read_bytes()[:300]),
        "no image": lambda: visible.write_bytes(b"text"),
        "sizes": lambda: grey.resize((30, 24)).save(thermal),
        "grey": lambda: grey.save(visible),
        "colour": lambda: shutil.copy(visible, thermal),
        "constant": lambda: Image.new("L", (32, 24), 99).save(thermal),
        "repeated": lambda: shutil.copy(copy / THERMAL / "FLIR_00006.jpg", thermal),
    }
    actions[kind]()


@pytest.mark.parametrize(
    "kind, defect, at_fault",
    [
        ("thermal missing", "thermal image is missing", THERMAL),
        ("visible missing", "visible image is missing", VISIBLE),
        ("truncated", "thermal image cannot be read", THERMAL),
        ("no image", "visible image cannot be read", VISIBLE),
        ("sizes", "sizes differ: thermal 30x24, visible 32x24", VISIBLE),
        ("grey", "visible image is grey where a colour image is expected", VISIBLE),
        ("colour", "thermal image shows colour where a thermal image is expected", THERMAL),
        ("constant", "thermal image is constant", THERMAL),
        ("repeated", "thermal image is the same as that of FLIR_00006", THERMAL),
    ],
)
def test_each_defect_is_named(kind: str, defect: str, at_fault: str, copy: Path) -> None:
    spoil(copy, kind)
    before = content(copy)
    table = inspect(frames_of(copy), copy, on_defect="drop")
    assert list(table["defect"]) == ["", defect, "", "", ""]
    with pytest.raises(BadInput) as caught:
        inspect(frames_of(copy), copy, on_defect="refuse")
    assert f"{at_fault}/FLIR_00018.jpg: {defect} (1 of 5 frames" in caught.value.given
    assert "on_defect: drop" in caught.value.remedy
    assert content(copy) == before
