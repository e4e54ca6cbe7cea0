"""Black-hot images: negated when that is said, guessed for a warning alone."""

from pathlib import Path

import numpy as np
import pytest

from tests.serving.test_translate import noise, saved
from tests.serving.videos import images_of, write_video
from thermochroma.base.images import read_visible, write_image
from thermochroma.serving.cli import main
from thermochroma.serving.polarity import looks_black_hot, warning_of

GROUND = np.concatenate([np.full((20, 64), 60), np.full((44, 64), 130)]).astype(np.uint8)
"""A cold sky above a warm ground."""
NIGHT = np.full((64, 64), 12, np.uint8)
NIGHT[10:30, 20:30] = 255  # someone walks, his head above


def _translate(folder: Path, *further: object, block: str = "cyclegan") -> None:
    translator = folder / f"{block}.safetensors"
    if not translator.exists():
        saved(block, translator)
    given = ["translate", translator, folder / "in", "--to", folder / "out", *further]
    main([str(one) for one in given])


@pytest.mark.parametrize("image", [GROUND, NIGHT])
def test_an_image_and_its_negative_get_different_answers(image: np.ndarray) -> None:
    assert not looks_black_hot(image)
    assert looks_black_hot(255 - image)


def test_more_than_half_of_the_images_must_look_so() -> None:
    assert warning_of([]) == warning_of([True, False]) == ""
    assert "in 2 of 3 images" in warning_of([True, True, False])
    assert "in the image" in warning_of([True])


def test_black_hot_images_are_negated(tmp_path: Path) -> None:
    image = noise(48, 64)
    write_image(tmp_path / "in/a.png", image)
    _translate(tmp_path)
    wanted = read_visible(tmp_path / "out/a.png")
    write_image(tmp_path / "in/a.png", 255 - image)
    _translate(tmp_path)
    assert not np.array_equal(read_visible(tmp_path / "out/a.png"), wanted)
    _translate(tmp_path, "--polarity", "black-hot")  # another option: written anew
    assert np.array_equal(read_visible(tmp_path / "out/a.png"), wanted)


def test_so_are_those_of_a_video(tmp_path: Path) -> None:
    image = noise(48, 64)
    write_video(tmp_path / "in/a.mkv", [255 - image])
    write_image(tmp_path / "in/b.png", 255 - image)
    _translate(tmp_path, "--polarity", "black-hot", "--codec", "ffv1")
    (found,) = images_of(tmp_path / "out/a.mkv")
    assert np.array_equal(found, read_visible(tmp_path / "out/b.png"))


@pytest.mark.parametrize("kind", ["image", "video"])
def test_the_guess_warns_and_changes_nothing(
    kind: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    if kind == "image":
        write_image(tmp_path / "in/a.png", 255 - GROUND)
    else:
        write_video(tmp_path / "in/a.mkv", [255 - GROUND, 255 - GROUND])
    _translate(tmp_path)
    told = capsys.readouterr().err
    assert "in the image what is hot looks dark" in told and "--polarity black-hot" in told
    (first,) = [path.read_bytes() for path in (tmp_path / "out").iterdir()]
    _translate(tmp_path, "--polarity", "white-hot", "--again")
    assert "looks dark" not in capsys.readouterr().err
    assert [path.read_bytes() for path in (tmp_path / "out").iterdir()] == [first]


def test_white_hot_images_get_no_warning(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_image(tmp_path / "in/a.png", GROUND)
    _translate(tmp_path)
    assert "looks dark" not in capsys.readouterr().err


def test_it_is_refused_where_it_says_nothing(tmp_path: Path) -> None:
    write_image(tmp_path / "in/a.png", noise(48, 64, 3))
    said = "--polarity black-hot is asked of .*; a translator whose method takes thermal images"
    with pytest.raises(SystemExit, match=said):
        _translate(tmp_path, "--polarity", "black-hot", block="thermal_mask")
    with pytest.raises(SystemExit, match="--polarity black-hot is asked of temperatures"):
        _translate(tmp_path, "--polarity", "black-hot", "--tone", "temperature 0 40")
