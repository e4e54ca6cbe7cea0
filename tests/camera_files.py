"""Cameras' files, made on the spot: radiometric JPEGs with as little as their readers look at."""

import struct
from collections.abc import Iterable
from io import BytesIO
from pathlib import Path

import numpy as np
from PIL import Image

R1, R2, B, F, O = 14866.5, 0.0108, 1396.6, 1.0, -6303  # noqa: E741  Planck's constants of an E40
LONGEST = 65_000  # bytes of a segment of ours; a JPEG's have two bytes for their length


def write_flir(path: Path, raw: np.ndarray, *, preview: np.ndarray | None = None) -> None:
    """A FLIR file of a camera that sees without any air or glass before it, and emissivity 1."""
    content = _fff(raw)
    parts = [content[start : start + LONGEST] for start in range(0, len(content), LONGEST)]
    segments = [
        (0xE1, b"FLIR\0\1" + bytes([number, len(parts) - 1]) + part)
        for number, part in enumerate(parts)
    ]
    _write_jpeg(path, false_colours(raw) if preview is None else preview, segments)


def celsius(raw: np.ndarray) -> np.ndarray:
    """Planck's law, as FLIR writes it."""
    return np.asarray(B / np.log(R1 / (R2 * (raw.astype(float) + O)) + F) - 273.15)


def write_dji(path: Path, raw: np.ndarray, *, marker: int = 0xE3, orientation: int = 1) -> None:
    """A DJI file: its counts in segments of one marker, and others of parameters."""
    content = raw.astype("<u2").tobytes()
    parts = [content[start : start + LONGEST] for start in range(0, len(content), LONGEST)]
    other = 0xE4 if marker == 0xE3 else 0xE3
    segments = [(marker, part) for part in parts] + [(other, bytes(2560))]
    exif = Image.Exif()
    exif[271], exif[274] = "DJI", orientation
    _write_jpeg(path, false_colours(raw), segments, exif)


def false_colours(raw: np.ndarray) -> np.ndarray:
    """Something like ironbow: blue, then red, then yellow."""
    unit = (raw - raw.min()) / max(1, int(raw.max()) - int(raw.min()))
    palette = np.stack([unit, unit**3, 0.5 - np.abs(unit - 0.5)], axis=-1)
    return np.rint(palette * 255).astype(np.uint8)


def _fff(raw: np.ndarray) -> bytes:
    height, width = raw.shape
    counts = struct.pack("<HHH", 2, width, height).ljust(32, b"\0") + raw.astype("<u2").tobytes()
    camera = bytearray(832)
    struct.pack_into("<6f", camera, 32, 1.0, 0.0, 293.15, 293.15, 293.15, 1.0)
    struct.pack_into("<f", camera, 60, 0.5)  # humidity
    struct.pack_into("<3f", camera, 88, R1, B, F)
    struct.pack_into("<5f", camera, 112, 0.006569, 0.01262, -0.002276, -0.00667, 1.9)
    struct.pack_into("<if", camera, 776, O, R2)
    directory, start = b"", 64 + 8 * 32
    for kind, record in ((1, counts), (32, bytes(camera))):
        directory += struct.pack(">HHIIIIIII", kind, 2, 100, 1, start, len(record), 0, 0, 0)
        start += len(record)
    head = b"FFF\0" + bytes(16) + struct.pack(">III", 100, 64, 8)
    return head.ljust(64, b"\0") + directory.ljust(8 * 32, b"\0") + counts + bytes(camera)


def _write_jpeg(
    path: Path,
    preview: np.ndarray,
    segments: Iterable[tuple[int, bytes]],
    exif: Image.Exif | None = None,
) -> None:
    stream = BytesIO()
    Image.fromarray(preview).save(stream, "JPEG", **({} if exif is None else {"exif": exif}))
    jpeg = stream.getvalue()
    end = 2
    while jpeg[end + 1] in (0xE0, 0xE1):  # behind JFIF's and EXIF's own
        end += 2 + int.from_bytes(jpeg[end + 2 : end + 4], "big")
    inside = b"".join(
        bytes([0xFF, marker]) + struct.pack(">H", len(content) + 2) + content
        for marker, content in segments
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(jpeg[:end] + inside + jpeg[end:])
