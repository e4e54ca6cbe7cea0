"""What the inspection sees in a frame's two files, and in which order it tells of it."""

import struct
import tracemalloc
import zlib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from thermochroma.base.errors import BadInput
from thermochroma.base.reading import reading
from thermochroma.contract.dataset import Frame
from thermochroma.data.acquisition import inspect as inspecting
from thermochroma.data.acquisition.inspect import inspect, kind_of

SIZE = (32, 24)  # width, height


def frame(number: int, sequence: str = "set00/V000", suffix: str = "jpg") -> Frame:
    name = f"{sequence}/I{number:05d}"
    return Frame(
        frame=name,
        sequence=sequence,
        mount=sequence,
        split="train",
        place="",
        time="",
        thermal=f"{name}.thermal.{suffix}",
        visible=f"{name}.visible.jpg",
    )


def write(root: Path, one: Frame, seed: int, size: tuple[int, int] = SIZE) -> Frame:
    noise = np.random.default_rng(seed).integers(0, 256, (size[1], size[0], 3), dtype=np.uint8)
    (root / one.thermal).parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(noise[..., 0]).save(root / one.thermal)
    Image.fromarray(noise).save(root / one.visible)
    return one


def defects(root: Path, *frames: Frame, **more: object) -> list[str]:
    return list(inspect(frames, root, on_defect="drop", **more)["defect"])  # type: ignore[arg-type]


def test_the_size_that_is_asked_for_is_the_only_one_taken(tmp_path: Path) -> None:
    frames = [
        write(tmp_path, frame(0), 0),
        write(tmp_path, frame(1), 1, (16, 12)),
        write(tmp_path, frame(2), 2),
    ]
    Image.open(tmp_path / frames[2].visible).resize((16, 12)).save(tmp_path / frames[2].visible)
    differ = "sizes differ: thermal 32x24, visible 16x12"
    assert defects(tmp_path, *frames, image_size=SIZE) == [
        "", "has 16x12 pixels, 32x24 expected", differ
    ]  # fmt: skip
    assert defects(tmp_path, *frames) == ["", "", differ]
    with pytest.raises(BadInput, match=r"I00001\S+: has 16x12 pixels, 32x24 expected \(2 of 3"):
        inspect(frames, tmp_path, on_defect="refuse", image_size=SIZE)


def test_width_and_height_stand_beside_sound_frames(tmp_path: Path) -> None:
    frames = [write(tmp_path, frame(0), 0), write(tmp_path, frame(1), 1)]
    (tmp_path / frames[1].thermal).unlink()
    table = inspect(frames, tmp_path, on_defect="drop")
    assert list(table["width"]) == [32, pd.NA]
    assert list(table["height"]) == [24, pd.NA]
    assert list(table["visible_sha256"].str.len()) == [64, 64]
    assert list(table["thermal_sha256"].str.len()) == [64, 0]


def test_counts_are_read_with_the_tone_of_their_frame(tmp_path: Path) -> None:
    deep, plain = frame(0, suffix="png"), write(tmp_path, frame(1), 1)
    write(tmp_path, deep, 0)
    ramp = np.linspace(7000, 9000, 24 * 32).reshape(24, 32).astype(np.uint16)
    Image.fromarray(ramp).save(tmp_path / deep.thermal)
    tones = ["window 7000 9000", ""]
    table = inspect([deep, plain], tmp_path, on_defect="refuse", tones=tones)
    assert list(table["tone"]) == tones
    assert "no tone is set" in defects(tmp_path, deep, plain)[0]
    flat = defects(tmp_path, deep, plain, tones=["window 0 65535", ""])
    assert flat == ["", ""]  # 2,000 of 65,535 counts are still eight levels
    assert defects(tmp_path, deep, tones=["window 10000 20000"]) == ["thermal image is constant"]


@pytest.mark.parametrize("share", [0.5, 0.9, 0.98])
@pytest.mark.parametrize("kind", ["thermal", "visible"])
def test_a_file_cut_anywhere_is_found(kind: str, share: float, tmp_path: Path) -> None:
    one = write(tmp_path, frame(0), 0, (320, 240))
    path = tmp_path / getattr(one, kind)
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * share)])
    assert defects(tmp_path, one) == [f"{kind} image cannot be read"]


def bomb(path: Path) -> None:
    """A PNG of 20,000 by 20,000 pixels, without any: its head is enough."""
    chunk = b"IHDR" + struct.pack(">IIBBBBB", 20_000, 20_000, 8, 2, 0, 0, 0)
    head = struct.pack(">I", 13) + chunk + struct.pack(">I", zlib.crc32(chunk))
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + head + bytes(4) + b"IDAT" + bytes(4))


def chatty(path: Path) -> None:
    """A sound PNG with two megabytes of compressed text."""
    text = PngInfo()
    text.add_text("note", "x" * 2_000_000, zip=True)
    Image.open(path).save(path, format="PNG", pnginfo=text)


UNREADABLE = {
    # lightly-ai/lightly-studio#1765: one such image ended the run
    "bomb": (bomb, "DecompressionBombError: Image size (400000000 pixels) exceeds limit"),
    # python-pillow/Pillow#8363: an image that other programs show
    "text": (chatty, "ValueError: Decompressed data too large"),
}


@pytest.mark.parametrize("kind", ["thermal", "visible"])
@pytest.mark.parametrize("case", UNREADABLE)
def test_an_image_that_a_library_refuses_is_dropped_with_its_reason(
    case: str, kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def guarded(read: Callable[..., object]) -> Callable[..., object]:
        def act(path: Path, *more: object) -> object:
            with reading(path, needed="a whole image", remedy="leave it out"):
                return read(path, *more)

        return act

    for name in ("read_thermal", "read_visible"):
        monkeypatch.setattr(inspecting, name, guarded(getattr(inspecting, name)))
    frames = [write(tmp_path, frame(n), n) for n in range(3)]
    spoil, reason = UNREADABLE[case]
    spoil(tmp_path / getattr(frames[1], kind))
    sound, defect, last = defects(tmp_path, *frames)
    assert (sound, last) == ("", "")
    assert defect.startswith(f"{kind} image cannot be read: {reason}")
    assert kind_of(defect) == f"{kind} image cannot be read"
    with pytest.raises(BadInput, match=r"I00001\S+: .*cannot be read.* \(1 of 3"):
        inspect(frames, tmp_path, on_defect="refuse")


def test_order_and_repeats_hold_across_chunks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inspecting, "CHUNK", 3)
    frames = [write(tmp_path, frame(n), n) for n in range(8)]
    again = write(tmp_path, frame(7), 1)
    elsewhere = write(tmp_path, frame(0, "set00/V001"), 0)
    table = inspect([*frames[:7], again, elsewhere], tmp_path, on_defect="drop")
    assert list(table["frame"]) == [f.frame for f in [*frames[:7], again, elsewhere]]
    repeated = f"thermal image is the same as that of {frames[1].frame}"
    assert list(table["defect"]) == [*[""] * 7, repeated, ""]  # sequences are apart


def test_memory_does_not_hold_images(tmp_path: Path) -> None:
    one = write(tmp_path, frame(0), 0, (640, 512))
    frames = [replace(one, frame=str(n)) for n in range(60)]
    tracemalloc.start()
    inspect(frames, tmp_path, on_defect="drop")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 30 * 640 * 512 * 4  # half of what 60 pairs have


def test_kinds_of_defects_leave_out_what_differs() -> None:
    assert [
        kind_of(defect)
        for defect in (
            "thermal image is missing",
            "sizes differ: thermal 640x512, visible 320x256",
            "thermal image is the same as that of set00/V000/I00001",
            "thermal image holds 12 values that are no numbers",
            "has 320x256 pixels, 640x512 expected",
        )
    ] == [
        "thermal image is missing",
        "sizes differ",
        "thermal image is the same as that of an earlier frame",
        "thermal image holds values that are no numbers",
        "has 320x256 pixels, 640x512 expected",
    ]
