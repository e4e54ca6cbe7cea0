"""Copies as users have them: other suffixes, missing folders, twins; none loses frames without a word."""

import os
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from pydantic import ValidationError

from tests.made_data import make_irvi, make_kaist, make_msrs
from thermochroma.base.errors import BadInput
from thermochroma.contract.dataset import DatasetSettings, load_dataset
from thermochroma.data.datasets.roadscene import THERMAL, VISIBLE
from thermochroma.pipeline.download import download

ROADS = ("FLIR_00006", "FLIR_00018", "FLIR_00977", "FLIR_04593", "FLIR_04600")  # all three splits
DRIVES = {"set00/V000": 3, "set00/V008": 3, "set06/V000": 3}  # training, validation, testing


def settings_of(name: str, **changes: Any) -> DatasetSettings:
    return load_dataset(name).settings.model_validate(changes)


def make_roads(root: Path) -> None:
    rng = np.random.default_rng(0)
    for name in ROADS:
        noise = rng.integers(0, 256, (24, 32, 3), dtype=np.uint8)
        for folder, image in ((THERMAL, noise[..., 0]), (VISIBLE, noise)):
            (root / folder).mkdir(parents=True, exist_ok=True)
            Image.fromarray(image).save(root / folder / f"{name}.jpg")


def made(name: str, root: Path) -> DatasetSettings:
    """Make a small copy of `name` at `root`; return its settings."""
    if name == "kaist":
        make_kaist(root, DRIVES, annotations=False)
        return settings_of(name, allow_partial=True, image_size=(80, 64))
    if name == "msrs":
        make_msrs(root, 12)  # numbers below 50: of the authors' split only
        for part in ("ir", "vi"):
            (root / f"train/{part}/00001D.png").rename(root / f"train/{part}/00251D.png")
        return settings_of(name, profile="authors", image_size=(80, 60))
    if name == "irvi":
        groups = ("traffic/train", "monitoring/sub-4/train", "monitoring/sub-5/test")
        make_irvi(root, dict.fromkeys(groups, 4), size=24, strips=False)
        return settings_of(name, source=str(root), profile="clean", allow_partial=True)
    make_roads(root)
    return settings_of(name)


def downloaded(name: str, settings: DatasetSettings, raw: Path) -> str:
    """Run the stage on `raw`; return its table."""
    out = raw.parent / "out"
    paths = {"frames": out / "frames.csv", "report": out, "metrics": out / "metrics.json"}
    download(name, settings, raw=raw, **paths)
    return (out / "frames.csv").read_text()


def place_of(name: str, tmp_path: Path) -> tuple[Path, Path]:
    """Folder of the copy and raw folder: IRVI's frames are cut from the copy, others are the copy."""
    return (tmp_path / "copy" if name == "irvi" else tmp_path / name), tmp_path / name


@pytest.mark.parametrize("name", ["kaist", "roadscene", "msrs", "irvi"])
@pytest.mark.parametrize("suffix", [".JPG", ".Png", ".jpeg", ".tif"])
def test_suffixes_lose_no_frame(name: str, suffix: str, tmp_path: Path) -> None:
    """open-edge-platform/anomalib#3058: another case or format of the suffix, and no image is found."""
    copy, raw = place_of(name, tmp_path)
    settings = made(name, copy)
    images = sorted(path for path in copy.rglob("*") if path.suffix in (".jpg", ".png"))
    for path in images[:: 2 if name != "irvi" else 1]:  # among others, the partner keeps its own
        path.rename(path.with_suffix(suffix))
    frames = downloaded(name, settings, raw).splitlines()[1:]
    assert len(frames) == len(images) // 2
    assert "missing" not in "".join(frames)


@pytest.mark.parametrize("name", ["kaist", "roadscene", "msrs"])
def test_two_files_of_one_frame_are_refused_by_name(name: str, tmp_path: Path) -> None:
    copy, raw = place_of(name, tmp_path)
    settings = made(name, copy)
    first = min(path for path in copy.rglob("*") if path.suffix in (".jpg", ".png"))
    shutil.copy(first, first.with_suffix(".PNG" if first.suffix == ".jpg" else ".bmp"))
    with pytest.raises(BadInput, match=rf"has two images of one name: {first.stem}\.\w+ and "):
        downloaded(name, settings, raw)


FOLDERS = {
    "kaist": ("images/set00/V008/visible", "images/set06/V000/lwir"),
    "roadscene": (THERMAL, VISIBLE),
    "msrs": ("train/vi", "test/ir"),
}


@pytest.mark.parametrize("gone", [True, False], ids=["gone", "empty"])
@pytest.mark.parametrize("name, folder", [(n, f) for n, each in FOLDERS.items() for f in each])
def test_a_folder_without_images_is_refused_by_name(
    name: str, folder: str, gone: bool, tmp_path: Path
) -> None:
    copy, raw = place_of(name, tmp_path)
    settings = made(name, copy).model_copy(update={"on_defect": "drop"})
    shutil.rmtree(copy / folder)
    if not gone:
        (copy / folder).mkdir()
        (copy / folder / "Thumbs.db").touch()
        (copy / folder / "._I00000.jpg").touch()
    with pytest.raises(BadInput, match=f"{folder} (holds no image|does not exist)|lacks `{folder}"):
        downloaded(name, settings, raw)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    "name, lost, split",
    [
        ("kaist", "images/set00/V000", "train"),
        ("kaist", "images/set00/V008", "validation"),
        ("kaist", "images/set06", "test"),
        ("roadscene", "*/FLIR_00977.jpg", "test"),
        ("roadscene", "*/FLIR_04*.jpg", "validation"),
        ("msrs", "*/*/00251D.png", "validation"),
        ("irvi", "monitoring/sub-5", "test"),
    ],
)
def test_a_copy_without_a_split_is_refused_by_name(
    name: str, lost: str, split: str, tmp_path: Path
) -> None:
    copy, raw = place_of(name, tmp_path)
    settings = made(name, copy)
    for path in list(copy.glob(lost)):
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    with pytest.raises(BadInput, match=f"`{name}` has no frame for the split `{split}`; "):
        downloaded(name, settings, raw)


def test_a_split_of_which_nothing_can_be_used_is_refused(tmp_path: Path) -> None:
    copy, raw = place_of("roadscene", tmp_path)
    settings = made("roadscene", copy).model_copy(update={"on_defect": "drop"})
    (copy / THERMAL / "FLIR_00977.jpg").unlink()
    with pytest.raises(BadInput, match=r"`test` \(none of 1 can be used; FLIR_00977: thermal"):
        downloaded("roadscene", settings, raw)


def test_a_partial_copy_of_irvi_is_refused_unless_it_is_meant(tmp_path: Path) -> None:
    copy, raw = place_of("irvi", tmp_path)
    settings = made("irvi", copy)
    whole = settings.model_copy(update={"allow_partial": False})
    with pytest.raises(BadInput, match=r"lacks 9 of its 12 parts: monitoring/sub-1/test, "):
        downloaded("irvi", whole, raw)
    assert downloaded("irvi", settings, raw)


@pytest.mark.parametrize("name", ["kaist", "roadscene", "msrs", "irvi"])
def test_a_name_in_another_encoding_is_refused_in_a_sentence(name: str, tmp_path: Path) -> None:
    """samschott/maestral#230: "surrogates not allowed"."""
    copy, raw = place_of(name, tmp_path)
    settings = made(name, copy)
    first = min(path for path in copy.rglob("*") if path.suffix in (".jpg", ".png"))
    shutil.copy(first, os.fsdecode(os.fsencode(first.parent) + b"/caf\xe9" + first.suffix.encode()))
    with pytest.raises(BadInput, match=r"no UTF-8: .*caf\\udce9.*rename"):
        downloaded(name, settings, raw)


def test_a_source_may_begin_with_the_home_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """mne-tools/mne-python#11533: `~` in a setting was taken for the name of a folder."""
    monkeypatch.setenv("HOME", str(tmp_path))
    made("roadscene", tmp_path / "copy")
    settings = settings_of("roadscene", source="~/copy")
    assert settings.source == str(tmp_path / "copy")
    assert downloaded("roadscene", settings, tmp_path / "raw/roadscene")


@pytest.mark.parametrize("damage", [b"", b"{", b"\xff", b"[]", b'{"folders": {"images": 3}}'])
def test_a_damaged_note_of_ours_ends_with_a_sentence(damage: bytes, tmp_path: Path) -> None:
    raw = tmp_path / "kaist"
    settings = made("kaist", tmp_path / "copy").model_copy(
        update={"source": str(tmp_path / "copy")}
    )
    downloaded("kaist", settings, raw)
    (raw / ".origin.json").write_bytes(damage)
    with pytest.raises(BadInput, match=r"origin\.json .*; remove .*kaist"):
        downloaded("kaist", settings, raw)


@pytest.mark.parametrize("name", ["roadscene", "msrs", "irvi"])
def test_addresses_are_safe_and_name_no_branch(name: str) -> None:
    for url in load_dataset(name).settings().addresses:  # type: ignore[attr-defined]
        assert url.startswith("https://")
        assert "heads" not in url
    with pytest.raises(ValidationError):
        settings_of(name, sha256="abc")
