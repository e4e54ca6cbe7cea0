"""A sensor's values in cameras' files: read as they are, or refused; never the preview instead."""

import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.camera_files import celsius, false_colours, write_dji, write_flir
from thermochroma.base.errors import BadInput
from thermochroma.base.images import write_image
from thermochroma.serving.sensor import holds_sensor, read_sensor

RAW = np.random.default_rng(0).integers(15000, 17000, (150, 240)).astype(np.uint16)


@pytest.fixture
def flyr() -> None:
    pytest.importorskip("flyr", reason="the extra `radiometric` is not installed")


def test_flirs_temperatures_follow_plancks_law(flyr: None, tmp_path: Path) -> None:
    write_flir(tmp_path / "a.jpg", RAW)  # in two segments
    assert holds_sensor(tmp_path / "a.jpg")
    sensed = read_sensor(tmp_path / "a.jpg")
    assert sensed is not None and sensed.unit == "celsius"
    np.testing.assert_allclose(sensed.values, celsius(RAW), atol=1e-3)


def test_flirs_values_are_read_though_the_preview_is_grey_or_larger(
    flyr: None, tmp_path: Path
) -> None:
    write_flir(tmp_path / "a.jpg", RAW, preview=np.full((300, 480), 7, np.uint8))
    sensed = read_sensor(tmp_path / "a.jpg")
    assert sensed is not None and sensed.values.shape == RAW.shape


def test_without_flyr_a_sentence_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "flyr", None)
    write_flir(tmp_path / "a.jpg", RAW)
    with pytest.raises(BadInput, match=r"`pip install 'thermochroma\[radiometric\]'`"):
        read_sensor(tmp_path / "a.jpg")


def test_a_flir_file_that_was_cut_is_refused(flyr: None, tmp_path: Path) -> None:
    write_flir(tmp_path / "a.jpg", RAW)
    content = (tmp_path / "a.jpg").read_bytes()
    second = content.index(b"FLIR\0", content.index(b"FLIR\0") + 1)
    length = int.from_bytes(content[second - 2 : second], "big")
    (tmp_path / "a.jpg").write_bytes(content[: second - 4] + content[second - 2 + length :])
    with pytest.raises(BadInput, match="a FLIR image with the sensor's values"):
        read_sensor(tmp_path / "a.jpg")


@pytest.mark.parametrize("marker", [0xE3, 0xE4])
def test_djis_counts_are_read_from_either_segment(marker: int, tmp_path: Path) -> None:
    write_dji(tmp_path / "a.jpg", RAW, marker=marker)
    assert holds_sensor(tmp_path / "a.jpg")
    sensed = read_sensor(tmp_path / "a.jpg", page=1)
    assert sensed is not None and sensed.unit == "counts"
    assert np.array_equal(sensed.values, RAW)
    with pytest.raises(BadInput, match="no page 2"):
        read_sensor(tmp_path / "a.jpg", page=2)


def test_values_are_turned_upright(tmp_path: Path) -> None:
    write_dji(tmp_path / "a.jpg", RAW, orientation=6)  # to be turned clockwise
    sensed = read_sensor(tmp_path / "a.jpg")
    assert sensed is not None and np.array_equal(sensed.values, np.rot90(RAW, -1))


def test_djis_counts_of_an_unknown_form_are_refused(tmp_path: Path) -> None:
    write_dji(tmp_path / "a.jpg", RAW)
    inside = (tmp_path / "a.jpg").read_bytes()
    short = inside.replace(b"\xff\xe3", b"\xff\xe7", 1)  # the first part of the counts is not found
    (tmp_path / "a.jpg").write_bytes(short)
    with pytest.raises(BadInput, match=r"preview is not taken in their place; .*DJI Thermal SDK"):
        read_sensor(tmp_path / "a.jpg")


def test_other_files_hold_what_they_say(tmp_path: Path) -> None:
    Image.fromarray(RAW).save(tmp_path / "a.png")
    Image.fromarray(RAW.astype(np.float32) / 50).save(tmp_path / "b.tiff")
    write_image(tmp_path / "c.png", false_colours(RAW))
    found = [read_sensor(tmp_path / name) for name in ("a.png", "b.tiff", "c.png")]
    assert [one and one.unit for one in found] == ["counts", "values", None]
    assert not holds_sensor(tmp_path / "c.png")
