"""Reading images: 8 bits as they are, counts up to one tone, and a sentence for all else."""

import struct
import zlib
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from thermochroma.base.errors import BadInput
from thermochroma.base.images import (
    Tone,
    holds_counts,
    read_counts,
    read_thermal,
    read_visible,
    size_of,
)

COUNTS = np.arange(6000, 6000 + 48 * 64, dtype=np.uint16).reshape(48, 64)
WINDOW = Tone("window", 7000, 8020)


def _save(path: Path, pixels: np.ndarray, **how: object) -> Path:
    Image.fromarray(pixels).save(path, **how)  # type: ignore[arg-type]
    return path


def _save_deep_colour(path: Path) -> Path:
    """A PNG with 16 bits in each of three channels, which Pillow reads but does not write."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return (
            struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        )

    head = struct.pack(">IIBBBBB", 4, 2, 16, 2, 0, 0, 0)
    lines = b"".join(b"\0" + bytes(range(24)) for _ in range(2))
    parts = chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(lines)) + chunk(b"IEND", b"")
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + parts)
    return path


@pytest.mark.parametrize(
    ("name", "how"),
    [
        ("a.png", {}),
        ("a.tiff", {}),
        ("a.tif", {"compression": "tiff_lzw"}),
        ("a.tiff", {"compression": "tiff_deflate"}),
    ],
)
def test_counts_of_16_bits_arrive_untouched(name: str, how: dict[str, str], tmp_path: Path) -> None:
    path = _save(tmp_path / name, COUNTS, **how)
    counts = read_counts(path)
    assert counts is not None
    assert np.array_equal(counts, COUNTS)
    assert holds_counts(path)
    assert size_of(path) == (64, 48)


def test_counts_in_the_other_byte_order_and_as_32_bits(tmp_path: Path) -> None:
    tags = {"bits": 16, "bytes": COUNTS.astype(">u2").tobytes()}
    path = tmp_path / "big.tif"
    path.write_bytes(_big_endian_tiff(tags["bytes"], width=64, height=48))  # type: ignore[arg-type]
    with Image.open(path) as image:
        assert image.mode == "I;16B"
    counts = read_counts(path)
    assert counts is not None
    assert counts.dtype.isnative
    assert np.array_equal(counts, COUNTS)
    wide = _save(tmp_path / "wide.tif", COUNTS.astype(np.int32) * 20)
    assert np.array_equal(read_thermal(wide, Tone("window", 140000, 160400)), WINDOW.apply(COUNTS))


def _big_endian_tiff(pixels: bytes, *, width: int, height: int) -> bytes:
    entries = [
        (256, 3, width << 16),
        (257, 3, height << 16),
        (258, 3, 16 << 16),
        (259, 3, 1 << 16),
        (262, 3, 1 << 16),
        (273, 4, 8),
        (277, 3, 1 << 16),
        (278, 3, height << 16),
        (279, 4, len(pixels)),
    ]
    listed = b"".join(struct.pack(">HHII", tag, kind, 1, value) for tag, kind, value in entries)
    head = struct.pack(">2sHI", b"MM", 42, 8 + len(pixels))
    return head + pixels + struct.pack(">H", len(entries)) + listed + struct.pack(">I", 0)


def test_a_window_maps_counts_linearly_and_saturates_outside() -> None:
    shown = WINDOW.apply(np.array([[0, 7000, 7002, 7004, 7510, 8019, 8020, 65535]], np.uint16))
    assert shown.tolist() == [[0, 0, 0, 1, 128, 255, 255, 255]]


def test_clahe_evens_out_contrast_within_the_window() -> None:
    faint = (7000 + 30 * (np.indices((64, 64)).sum(0) % 2)).astype(np.uint16)
    faint[:, 32:] += 900
    plain, even = (Tone(kind, 7000, 8020).apply(faint) for kind in ("window", "clahe"))  # type: ignore[arg-type]
    assert np.ptp(even[:, :16]) > np.ptp(plain[:, :16])
    assert np.array_equal(even, Tone("clahe", 7000, 8020).apply(faint))


@pytest.mark.parametrize("kind", ["window", "clahe"])
@pytest.mark.parametrize(
    ("black", "white"), [(7000, 9000), (271.15, 310), (-40, 1e6), (0.1, 1 / 3)]
)
def test_a_tone_survives_its_text(kind: str, black: float, white: float) -> None:
    tone = Tone(kind, black, white)  # type: ignore[arg-type]
    assert Tone.parse(str(tone)) == tone


def test_the_text_of_a_tone() -> None:
    assert str(Tone("window", 7000, 9000.0)) == "window 7000 9000"
    assert Tone.parse("") is None


@pytest.mark.parametrize(
    "text",
    ["window", "window 1", "window 1 2 3", "gamma 1 2", "window 2 1", "clahe 1 1", "window 0 inf",
     "window nan 3", "window a b"],
)  # fmt: skip
def test_a_text_that_is_no_tone_is_refused(text: str) -> None:
    with pytest.raises(BadInput, match="tone of a thermal image is"):
        Tone.parse(text)


@pytest.mark.parametrize("name", ["a.png", "a.tif"])
def test_counts_without_a_tone_are_refused_with_what_to_set(name: str, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"more than 8 bits .* no tone .* set `tone` in .*`sources`"):
        read_thermal(_save(tmp_path / name, COUNTS))


def test_8_bits_need_no_tone_and_bear_none(tmp_path: Path) -> None:
    grey = (COUNTS % 256).astype(np.uint8)
    path = _save(tmp_path / "a.png", grey)
    assert np.array_equal(read_thermal(path), grey)
    assert read_counts(path) is None
    assert not holds_counts(path)
    with pytest.raises(BadInput, match="8 bits a pixel, and the tone `window 7000 8020`"):
        read_thermal(path, WINDOW)


def test_three_equal_channels_count_as_one(tmp_path: Path) -> None:
    grey = (COUNTS % 256).astype(np.uint8)
    assert np.array_equal(read_thermal(_save(tmp_path / "a.png", np.dstack([grey] * 3))), grey)


def test_channels_may_differ_by_what_lossy_coding_leaves(tmp_path: Path) -> None:
    """Genuine thermal images that were JPEG once differ by up to 5; nothing is coloured in them."""
    grey = np.full((48, 64, 3), 120, np.uint8)
    grey[5, 5] = 120, 125, 117
    assert read_thermal(_save(tmp_path / "a.png", grey))[6, 6] == 120
    grey[5, 5] = 120, 125, 116
    with pytest.raises(BadInput, match="three equal ones"):
        read_thermal(_save(tmp_path / "b.png", grey))


def test_a_thermal_image_in_false_colours_is_refused_as_what_it_is(tmp_path: Path) -> None:
    grey = (COUNTS % 256).astype(np.uint8)
    ironbow = cv2.applyColorMap(grey, cv2.COLORMAP_INFERNO)
    with pytest.raises(BadInput, match=r"false colours of a palette.*white hot"):
        read_thermal(_save(tmp_path / "a.png", ironbow))
    indexed = Image.fromarray(ironbow).quantize(64)
    indexed.save(tmp_path / "indexed.png")
    with pytest.raises(BadInput, match="false colours of a palette"):
        read_thermal(tmp_path / "indexed.png")
    noise = np.random.default_rng(0).integers(0, 256, (48, 64, 3), np.uint8)
    for name, image in (("b.png", noise), ("c.jpg", ironbow)):
        with pytest.raises(BadInput, match=r"shows colour .*false colours.*not exchanged"):
            read_thermal(_save(tmp_path / name, image))


def test_temperatures_as_floats_need_a_window_in_their_unit(tmp_path: Path) -> None:
    path = _save(tmp_path / "a.tif", np.array([[273.15, 293.25], [313.15, 400]], np.float32))
    with pytest.raises(BadInput, match=r"more than 8 bits .* no tone"):
        read_thermal(path)
    shown = read_thermal(path, Tone("window", 273.15, 313.15))
    assert shown.tolist() == [[0, 128], [255, 255]]


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_values_that_are_no_numbers_are_refused(value: float, tmp_path: Path) -> None:
    pixels = np.full((4, 4), 280, np.float32)
    pixels[1, 1:3] = value
    path = _save(tmp_path / "a.tif", pixels)
    for read in (read_counts, read_thermal, lambda path: read_thermal(path, WINDOW)):
        with pytest.raises(BadInput, match=r"a\.tif holds 2 values that are no numbers"):
            read(path)


def test_16_bits_in_several_channels_are_refused_not_halved(tmp_path: Path) -> None:
    path = _save_deep_colour(tmp_path / "a.png")
    for read in (read_thermal, read_visible):
        with pytest.raises(BadInput, match="16 bits in each of several channels"):
            read(path)


def test_what_is_no_image_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.tif").write_bytes(b"no image")
    cut = _save(tmp_path / "b.png", np.random.default_rng(0).permuted(COUNTS))
    cut.write_bytes(cut.read_bytes()[:2000])
    for name in ("a.tif", "b.png"):
        with pytest.raises(BadInput, match="cannot be read"):
            read_thermal(tmp_path / name, WINDOW)
    with pytest.raises(BadInput, match="does not exist"):
        read_thermal(tmp_path / "c.png")
    with pytest.raises(BadInput, match="cannot be read"):
        size_of(tmp_path / "a.tif")


def test_a_visible_image_is_never_made_of_counts(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="is grey"):
        read_visible(_save(tmp_path / "a.png", COUNTS))
