"""Predictions from outside: whatever does not fit is one sentence that names the files."""

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image

from thermochroma.base.errors import BadInput
from thermochroma.base.frame_files import file_names
from thermochroma.evaluation.outside import OutsidePredictions, in_batches

FRAMES = ("set00/V000/I00000", "set00/V000/I00001", "b")
FILES = ("set00__V000__I00000.png", "set00__V000__I00001.png", "b.png")
WIDTH, HEIGHT = 12, 8
ROWS = pd.DataFrame({"frame": FRAMES})


def colour(n: int = 0) -> np.ndarray:
    return np.random.default_rng(n).integers(0, 256, (HEIGHT, WIDTH, 3), dtype=np.uint8)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for n, name in enumerate(FILES):
        Image.fromarray(colour(n)).save(tmp_path / name)
    return tmp_path


def given(folder: Path, spectrum: str = "visible") -> OutsidePredictions:
    return OutsidePredictions(folder, file_names(FRAMES), spectrum, (WIDTH, HEIGHT))


def refusal(folder: Path, spectrum: str = "visible") -> str:
    with pytest.raises(BadInput) as caught:
        given(folder, spectrum).refuse_misfits()
    return str(caught.value)


def test_what_fits_is_read_in_the_order_of_the_rows(folder: Path) -> None:
    (folder / "frames.csv").write_text("a list is no image")
    predictions = given(folder)
    predictions.refuse_misfits()
    batches = [*in_batches(ROWS[::-1], predictions, size=2, title="")]
    assert [len(images) for _, images in batches] == [2, 1]
    found = torch.cat([images for _, images in batches]).permute(0, 2, 3, 1).numpy()
    assert np.array_equal(found, np.stack([colour(2), colour(1), colour(0)]))


def test_another_image_is_another_digest_and_another_file_beside_them_is_none(
    folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    before = given(folder).digest()
    (folder / "frames.csv").write_text("a list is no image")
    copy = shutil.copytree(folder, tmp_path_factory.mktemp("elsewhere") / "copy")
    assert given(folder).digest() == given(copy).digest() == before
    Image.fromarray(colour(7)).save(folder / FILES[1])
    assert given(folder).digest() != before


def test_thermal_predictions_are_grey(tmp_path: Path) -> None:
    for n, name in enumerate(FILES):
        Image.fromarray(colour(n)[..., 0]).save(tmp_path / name)
    predictions = given(tmp_path, "thermal")
    predictions.refuse_misfits()
    assert predictions(ROWS).shape == (3, 1, HEIGHT, WIDTH)


def test_two_frames_of_one_name_are_refused() -> None:
    with pytest.raises(BadInput, match=r"a/b and a__b would both be a__b\.png"):
        file_names(["a/b", "a__b"])


def test_missing_and_surplus_images_are_told_together(folder: Path) -> None:
    (folder / "b.png").rename(folder / "b.PNG")
    for n in range(5):
        Image.fromarray(colour()).save(folder / f"x{n}.jpg")
    said = refusal(folder)
    assert "lacks 1 of 3 images (b.png)" in said
    assert "has 6 that belong to no frame (b.PNG, x0.jpg, x1.jpg, …)" in said
    assert "thermochroma frames" in said


def test_no_folder(tmp_path: Path) -> None:
    assert "nobody is no folder" in refusal(tmp_path / "nobody")


def _deep_colour(path: Path) -> None:
    import cv2

    cv2.imwrite(str(path), colour().astype(np.uint16) * 256)


def _palette(path: Path) -> None:
    Image.fromarray(colour()).quantize(16).save(path)


def _transparent(path: Path) -> None:
    Image.fromarray(colour()).save(path, transparency=(1, 2, 3))


def _film(path: Path) -> None:
    more = [Image.fromarray(colour(9))]
    Image.fromarray(colour()).save(path, save_all=True, append_images=more)


def _as(mode: str) -> Callable[[Path], None]:
    return lambda path: Image.fromarray(colour()).convert(mode).save(path)


@pytest.mark.parametrize(
    ("write", "fault"),
    [
        (_as("RGBA"), "with an alpha channel"),
        (_as("LA"), "with an alpha channel"),
        (_transparent, "with an alpha channel"),
        (_as("L"), "in grey"),
        (_as("1"), "of 1 bit"),
        (_as("I;16"), "of 16 bits"),
        (_deep_colour, "of 16 bits"),
        (_palette, "with a palette"),
        (_film, "of several frames"),
        (lambda path: Image.fromarray(colour()).save(path, format="JPEG"), "in truth JPEG"),
        (lambda path: Image.fromarray(colour()[:5]).save(path), "of 12x5 pixels"),
    ],
)
def test_other_codings_and_sizes_are_named(
    write: Callable[[Path], None], fault: str, folder: Path
) -> None:
    write(folder / FILES[1])
    said = refusal(folder)
    assert f"1 of 3 images {fault} ({FILES[1]})" in said
    assert "8 bits in each of three channels, of 12x8 pixels" in said
    assert "write these images again" in said


def test_colour_where_grey_is_predicted(folder: Path) -> None:
    assert f"3 of 3 images in colour ({', '.join(FILES)})" in refusal(folder, "thermal")


def test_what_is_no_image_is_named(folder: Path) -> None:
    (folder / "b.png").write_bytes(b"")
    assert "b.png is empty" in refusal(folder)
    (folder / "b.png").write_bytes(b"no image")
    assert "b.png cannot be read" in refusal(folder)
    (folder / "b.png").unlink()
    (folder / "b.png").symlink_to("nowhere.png")
    said = refusal(folder)
    assert "b.png does not exist" in said
    assert "leave" not in said, "a frame that is left out would be missed"


def test_what_is_damaged_further_down_is_named_when_it_is_read(folder: Path) -> None:
    path = folder / "b.png"
    path.write_bytes(path.read_bytes()[:-60])
    given(folder).refuse_misfits()
    with pytest.raises(BadInput, match=r"b\.png cannot be read .*write these images again"):
        given(folder)(ROWS)


def test_what_its_orientation_turns_is_named_when_it_is_read(folder: Path) -> None:
    exif = Image.Exif()
    exif[274] = 6
    Image.fromarray(colour()).save(folder / "b.png", exif=exif)
    given(folder).refuse_misfits()
    with pytest.raises(BadInput, match=r"b\.png is of 8x12 pixels once it is upright"):
        given(folder)(ROWS)
