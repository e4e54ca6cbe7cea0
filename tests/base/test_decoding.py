"""What an image file says beyond its pixels: applied, or refused in a sentence."""

import struct
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from thermochroma.base.decoding import decode
from thermochroma.base.errors import BadInput
from thermochroma.base.images import Tone, read_counts, read_thermal, size_of

GREY = np.random.default_rng(0).integers(0, 256, (24, 40), np.uint8)
GREY[:8, :8] = 0  # JPEG must not blur the corner that tells where it lies
COUNTS = GREY.astype(np.uint16) * 100
ORIENTATION = 274
STORED = {  # orientation: how the camera stores what is upright
    1: lambda one: one,
    2: lambda one: one[:, ::-1],
    3: lambda one: one[::-1, ::-1],
    4: lambda one: one[::-1],
    5: lambda one: one.T,
    6: lambda one: np.rot90(one),
    7: lambda one: one[::-1, ::-1].T,
    8: lambda one: np.rot90(one, -1),
}


def _oriented(path: Path, upright: np.ndarray, orientation: int) -> Path:
    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    how = {"tiffinfo" if path.suffix == ".tif" else "exif": exif}
    if path.name == "packed.tif":
        how["compression"] = "tiff_lzw"  # type: ignore[assignment]
    if path.suffix == ".webp":
        how["lossless"] = True  # type: ignore[assignment]
    stored = np.ascontiguousarray(STORED[orientation](upright))
    Image.fromarray(stored).save(path, **how)  # type: ignore[arg-type]
    return path


@pytest.mark.parametrize("orientation", STORED)
@pytest.mark.parametrize("name", ["a.png", "a.tif", "packed.tif", "a.webp", "a.jpg"])
def test_an_image_is_read_upright(name: str, orientation: int, tmp_path: Path) -> None:
    path = _oriented(tmp_path / name, GREY, orientation)
    image = read_thermal(path)
    assert image.shape == GREY.shape
    assert size_of(path) == (40, 24)
    if name == "a.jpg":
        assert image[:8, :8].mean() < 30 < image.mean()
    else:
        assert np.array_equal(image, GREY)


@pytest.mark.parametrize("orientation", STORED)
@pytest.mark.parametrize("name", ["a.png", "a.tif", "packed.tif"])
def test_counts_are_read_upright_and_untouched(name: str, orientation: int, tmp_path: Path) -> None:
    assert np.array_equal(
        decode(_oriented(tmp_path / name, COUNTS, orientation)), COUNTS
    )  # Pillow turns a TIFF itself: it must not be turned twice


@pytest.mark.parametrize("name", ["a.tif", "a.gif", "a.png", "a.webp"])
def test_one_of_several_pages_is_never_taken_unasked(name: str, tmp_path: Path) -> None:
    path = tmp_path / name
    pages = [Image.fromarray(np.full((8, 8), level, np.uint8)) for level in (10, 90, 200)]
    how = {"lossless": True} if name == "a.webp" else {}
    pages[0].save(path, save_all=True, append_images=pages[1:], **how)  # type: ignore[arg-type]
    with pytest.raises(BadInput, match=r"has 3 pages .*--page"):
        decode(path)
    assert [int(decode(path, page=number).flat[0]) for number in (1, 2, 3)] == [10, 90, 200]
    for number in (0, 4):
        with pytest.raises(BadInput, match=f"has no page {number}; a number from 1 to 3"):
            decode(path, page=number)


def test_a_preview_beside_the_image_is_no_page(tmp_path: Path) -> None:
    path = tmp_path / "a.tif"
    preview = Image.fromarray(GREY[:4, :4])
    preview.encoderinfo = {"tiffinfo": {254: 1}}
    Image.fromarray(GREY).save(path, save_all=True, append_images=[preview])
    with Image.open(path) as image:
        assert image.n_frames == 2  # type: ignore[attr-defined]
    assert np.array_equal(decode(path), GREY)
    both = Image.fromarray(np.dstack([GREY] * 3))
    both.save(tmp_path / "a.mpo", save_all=True, append_images=[both])
    assert decode(tmp_path / "a.mpo").shape == (24, 40, 3)  # a camera's JPEG with its preview


def _tiff(pixels: np.ndarray, *, photometric: int = 1, sample: int = 1) -> bytes:
    """A plain TIFF in which every tag can be chosen; Pillow writes only some of them."""
    high, wide = pixels.shape
    body = pixels.astype(pixels.dtype.newbyteorder("<")).tobytes()
    entries: Sequence[tuple[int, int, int]] = [
        *((256, 4, wide), (257, 4, high), (258, 3, 8 * pixels.dtype.itemsize), (259, 3, 1)),
        *((262, 3, photometric), (273, 4, 8), (277, 3, 1), (278, 4, high), (279, 4, len(body))),
        (339, 3, sample),
    ]
    listed = b"".join(struct.pack("<HHII", tag, kind, 1, value) for tag, kind, value in entries)
    head = struct.pack("<2sHI", b"II", 42, 8 + len(body))
    return head + body + struct.pack("<H", len(entries)) + listed + struct.pack("<I", 0)


def test_counts_whose_zero_is_white_are_turned_round(tmp_path: Path) -> None:
    path = tmp_path / "a.tif"
    path.write_bytes(_tiff(COUNTS, photometric=0))
    counts = read_counts(path)
    assert counts is not None
    assert np.array_equal(counts, 65535 - COUNTS)
    path.write_bytes(_tiff(GREY, photometric=0))
    assert np.array_equal(read_thermal(path), 255 - GREY)
    path.write_bytes(_tiff(COUNTS.astype(np.float32), photometric=0, sample=3))
    with pytest.raises(BadInput, match="its zero is white"):
        read_counts(path)


def test_unsigned_counts_never_become_negative(tmp_path: Path) -> None:
    path, wide = tmp_path / "a.tif", COUNTS.astype(np.uint32)
    path.write_bytes(_tiff(wide))
    assert np.array_equal(decode(path), COUNTS)
    wide[0, :3] = 2**32 - 1
    path.write_bytes(_tiff(wide))
    with pytest.raises(BadInput, match=r"holds 3 counts above 2,147,483,647"):
        read_thermal(path, Tone("window", 0, 25500))
    below = COUNTS.astype(np.int32) - 100  # hundredths of a degree: below zero is cold, not wrong
    path.write_bytes(_tiff(below, sample=2))
    assert np.array_equal(decode(path), below)


def test_a_file_that_another_program_would_open_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n%%EndComments\nshowpage\n")
    with pytest.raises(BadInput, match=r"a\.png cannot be read"):
        decode(path)


def test_a_bomb_is_one_sentence(tmp_path: Path) -> None:
    Image.fromarray(GREY).save(tmp_path / "a.png")
    head = (tmp_path / "a.png").read_bytes()
    path = tmp_path / "bomb.ppm"
    path.write_bytes(b"P5 50000 50000 255\n" + head)
    with pytest.raises(BadInput, match=r"bomb\.ppm cannot be read \(DecompressionBombError"):
        decode(path)
