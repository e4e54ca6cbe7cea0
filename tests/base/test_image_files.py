"""Which files of a folder are images: the kinds of names that public reports say were lost or read."""

import os
from pathlib import Path

import pytest

from thermochroma.base.errors import BadInput
from thermochroma.base.image_files import IMAGE_SUFFIXES, image_files, image_of_each, names_image


def touched(folder: Path, *names: str) -> Path:
    for name in names:
        (folder / name).touch()
    return folder


@pytest.mark.parametrize("suffix", IMAGE_SUFFIXES)
def test_a_suffix_counts_in_any_case(suffix: str, tmp_path: Path) -> None:
    """open-edge-platform/anomalib#3058 and datumaro#151: .JPG gave a data set of no images."""
    names = sorted({f"a{suffix}", f"b{suffix.upper()}", f"c{suffix.title()}"})
    assert [path.name for path in image_files(touched(tmp_path, *names))] == names


def test_hidden_files_and_those_of_an_operating_system_are_passed_over(tmp_path: Path) -> None:
    """python-pillow/Pillow#4807: the `._` twin that macOS writes was read as an image."""
    others = (
        "._a.jpg",
        ".hidden.png",
        "Thumbs.db",
        "desktop.ini",
        ".DS_Store",
        "a.jpg.part",
        "jpg",
    )
    (tmp_path / "folder.png").mkdir()
    assert [path.name for path in image_files(touched(tmp_path, "a.jpg", *others))] == ["a.jpg"]
    assert not names_image(Path("__MACOSX/images/._a.jpg"))


def test_what_is_no_file_is_no_image_but_a_dead_link_is_not_lost(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.png")  # whoever opens it waits for ever
    (tmp_path / "dead.png").symlink_to(tmp_path / "gone.png")
    (tmp_path / "folder.png").symlink_to(tmp_path)
    (tmp_path / "link.png").symlink_to(touched(tmp_path, "real.bmp") / "real.bmp")
    assert [path.name for path in image_files(tmp_path)] == ["dead.png", "link.png", "real.bmp"]
    assert image_files(tmp_path / "nowhere") == []


def test_a_name_that_no_table_can_hold_is_refused(tmp_path: Path) -> None:
    """samschott/maestral#230: a name in Latin-1 ended in "surrogates not allowed"."""
    (Path(os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9.jpg"))).touch()
    with pytest.raises(BadInput, match=r"no UTF-8: 'caf\\udce9\.jpg'; .*; rename the file"):
        image_files(tmp_path)


def test_two_files_of_one_image_are_refused_by_name(tmp_path: Path) -> None:
    assert image_of_each(touched(tmp_path, "b.png", "a.JPG")) == {"a": "a.JPG", "b": "b.png"}
    with pytest.raises(BadInput, match=r"two images of one name: a\.JPG and a\.png"):
        image_of_each(touched(tmp_path, "a.png"))
