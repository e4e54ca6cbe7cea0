"""A sensor's values inside a camera's file: counts of more than 8 bits, or temperatures.

A radiometric JPEG shows a preview, in false colours as a rule, and keeps what the sensor measured in
segments of its own (the markers APP1 to APP5). Only the latter is heat, so the preview is never read in
its place: a file whose segments cannot be read is refused.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal, TypeAlias

import numpy as np
from jaxtyping import Shaped
from PIL import Image, ImageFile, ImageOps

from thermochroma.base.decoding import ANOTHER, ORIENTATION, opened
from thermochroma.base.errors import BadInput
from thermochroma.base.images import Counts, holds_counts, read_counts
from thermochroma.base.reading import reading

Unit: TypeAlias = Literal["counts", "celsius", "values"]
"""Whole counts of the sensor, degrees Celsius, or floats whose unit the file does not say."""

EXTRA: Final = "radiometric"  # of pyproject.toml
MAKER: Final = 271  # EXIF's tag
FLIR: Final = b"FLIR\x00"  # how its APP1 segments begin
DJI_BLOCKS: Final = ("APP3", "APP4")
"""Segments with DJI's counts, two bytes a pixel, the lower one first: APP3 (H20T and later), APP4 (XT S).
Told by their length alone: those of other content are shorter."""
DJI_SEGMENTS: Final = ("APP3", "APP4", "APP5")


@dataclass(frozen=True, eq=False)
class Sensed:
    """Values that a sensor measured, upright, with their unit."""

    values: Counts
    unit: Unit


def holds_sensor(path: Path) -> bool:
    """Whether a file holds a sensor's values, from its header alone. Raises as `size_of`."""
    with opened(path) as image:
        if _maker(image) is not None:
            return True
    return holds_counts(path)


def read_sensor(path: Path, *, page: int | None = None) -> Sensed | None:
    """Read the sensor's values; None for an image of 8 bits.

    page: see `decode`. Raises BadInput if they are there and cannot be read.
    """
    with opened(path) as image:
        maker = _maker(image)
        if maker is not None:
            _refuse_page(path, page)
            unit: Unit = "celsius" if maker == "FLIR" else "counts"
            values = _flir(path) if maker == "FLIR" else _dji(path, image)
            with reading(path, needed="a whole image", remedy=ANOTHER):
                values = _upright(values, image.getexif().get(ORIENTATION, 1))
            return Sensed(values, unit)
    counts = read_counts(path, page=page)
    if counts is None:
        return None
    return Sensed(counts, "values" if counts.dtype.kind == "f" else "counts")


def _maker(image: ImageFile.ImageFile) -> Literal["FLIR", "DJI"] | None:
    """Whose radiometric JPEG this is; None for any other image. DJI's older cameras are FLIR's inside."""
    segments = _segments(image)
    if any(name == "APP1" and content.startswith(FLIR) for name, content in segments):
        return "FLIR"
    is_dji = any(name in DJI_SEGMENTS for name, _ in segments) and (
        str(image.getexif().get(MAKER, "")).strip("\0 ") == "DJI"
    )
    return "DJI" if is_dji else None


def _segments(image: ImageFile.ImageFile) -> list[tuple[str, bytes]]:
    """Segments of a JPEG by the names of their markers, in order; none of another format."""
    return getattr(image, "applist", [])


def _flir(path: Path) -> Counts:
    """Degrees Celsius by FLIR's own formula, with the emissivity and distance that the file holds."""
    try:
        from flyr import unpack
    except ImportError:
        raise BadInput(
            given=f"{path} is a radiometric JPEG of FLIR",
            needed="the package flyr, which reads its temperatures (licence: EUPL 1.2)",
            remedy=f"`pip install 'thermochroma[{EXTRA}]'`",
        ) from None
    with (
        reading(path, needed="a FLIR image with the sensor's values", remedy=ANOTHER),
        path.open("rb") as stream,
        np.errstate(all="ignore"),
    ):
        celsius = np.asarray(unpack(stream).celsius, np.float32)
    if celsius.ndim != 2 or not np.isfinite(celsius).all():
        raise BadInput(
            given=f"{path} holds values that are no temperatures",
            needed="a temperature in every pixel",
            remedy=ANOTHER,
        )
    return celsius


def _dji(path: Path, image: ImageFile.ImageFile) -> Counts:
    width, height = image.size
    for marker in DJI_BLOCKS:
        block = b"".join(content for name, content in _segments(image) if name == marker)
        if len(block) == 2 * width * height:
            return np.frombuffer(block, "<u2").reshape(height, width).astype(np.uint16)
    raise BadInput(
        given=f"{path} is a radiometric JPEG of DJI whose counts lie in another form than "
        f"{width} by {height} numbers of 16 bits",
        needed="the sensor's values; its preview is not taken in their place",
        remedy="convert it to a TIFF of temperatures with the DJI Thermal SDK or DJI's Thermal Analysis "
        "Tool, and give that",
    )


def _refuse_page(path: Path, page: int | None) -> None:
    if page not in (None, 1):
        raise BadInput(
            given=f"{path} has no page {page}",
            needed="the number 1: a radiometric JPEG holds one image of heat",
            remedy="leave --page out",
        )


def _upright(values: Counts, orientation: int) -> Shaped[np.ndarray, "..."]:
    """Turn values as EXIF's orientation tells a viewer to."""
    image = Image.fromarray(values)
    image.getexif()[ORIENTATION] = orientation
    return np.asarray(ImageOps.exif_transpose(image))
