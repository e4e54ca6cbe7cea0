"""Images on disk and for scoring: 8-bit arrays, and the only code that reads and writes them.

What a file says beyond its pixels is in `decoding.py`.

Inside the networks images are tensors in [-1, 1]; `tensors.py` alone converts between the two.
Radiometric images keep their counts until a `Tone` maps them to 8 bits.
"""

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal, TypeAlias

import numpy as np
from jaxtyping import Real, Shaped, UInt8
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from thermochroma.base.decoding import ANOTHER, ORIENTATION, SIDEWAYS, decode, opened
from thermochroma.base.errors import BadInput
from thermochroma.base.files import whole_file
from thermochroma.base.reading import reading

ThermalImage: TypeAlias = UInt8[np.ndarray, "h w"]
"""One thermal image, 8 bits."""
VisibleImage: TypeAlias = UInt8[np.ndarray, "h w 3"]
"""One visible image, 8-bit sRGB, channels red, green, blue."""
Counts: TypeAlias = Real[np.ndarray, "h w"]
"""One radiometric image: the camera's counts (16 or 32 bits), or temperatures as floats."""

GREY_TOLERANCE: Final = 8  # grey levels by which lossy coding lets three equal channels differ
PALETTE: Final = 256  # colours that a palette has at most
NOTE: Final = "thermochroma"  # key of the text in a PNG of ours
TONE_KINDS: Final[dict[str, Literal["window", "clahe"]]] = {"window": "window", "clahe": "clahe"}
CLAHE_CLIP: Final = 2.0  # how steep a tile's curve may be, as a multiple of a straight one
CLAHE_TILES: Final = (8, 8)  # across and down


@dataclass(frozen=True)
class Tone:
    """Mapping of counts to 8 bits: from `black` to `white` linearly onto 0 to 255.

    Counts outside become 0 or 255. "clahe" then evens out the contrast inside the image
    (Zuiderveld, 1994; 8 by 8 tiles, clip limit 2). Both bounds are in the image's own unit: counts,
    or kelvin for images of floats. A tone belongs to a data set or a sequence, never to a single
    image. As text: "window 7000 9000".
    """

    kind: Literal["window", "clahe"]
    black: int | float
    white: int | float

    def __str__(self) -> str:
        black, white = (repr(float(bound)).removesuffix(".0") for bound in (self.black, self.white))
        return f"{self.kind} {black} {white}"

    @classmethod
    def parse(
        cls, text: str, *, remedy: str = "let `dvc repro` write the table of frames anew"
    ) -> "Tone | None":
        """Parse a tone that `str` wrote; None for "". Raises BadInput for anything else."""
        if not text:
            return None
        try:
            kind, black, white = text.split()
            tone = cls(TONE_KINDS[kind], float(black), float(white))
        except (KeyError, ValueError):
            tone = None
        if tone is None or not -math.inf < tone.black < tone.white < math.inf:
            raise BadInput(
                given=f"the tone of a thermal image is {text!r}",
                needed="`window` or `clahe`, then the count for black and the higher one for white",
                remedy=remedy,
            )
        return tone

    def apply(self, counts: Counts) -> ThermalImage:
        """Map counts to 8 bits, rounded to the nearest level."""
        unit = (counts.astype(np.float64) - self.black) / (self.white - self.black)
        image = np.rint(np.clip(unit, 0, 1) * 255).astype(np.uint8)
        if self.kind == "clahe":
            import cv2  # 150 MB, which a machine that only translates need not have

            image = cv2.createCLAHE(CLAHE_CLIP, CLAHE_TILES).apply(image)
        return image


def read_thermal(
    path: Path, tone: Tone | None = None, *, page: int | None = None, sha256: str = ""
) -> ThermalImage:
    """Read a thermal image as 8 bits; three equal channels count as one.

    tone: maps counts to 8 bits; None for images that have 8 bits already. page, sha256: see `decode`.
    Raises BadInput if the file cannot be decoded or shows colour, or if it has more than 8 bits and no
    tone, or 8 bits and a tone.
    """
    pixels = decode(path, page=page, sha256=sha256)
    if _is_deep(pixels):
        if tone is None:
            raise untoned(path)
        return tone.apply(pixels)
    if tone is not None:
        raise BadInput(
            given=f"{path} has 8 bits a pixel, and the tone `{tone}` is set for it",
            needed="a tone belongs to images of more than 8 bits",
            remedy="let `dvc repro` write the table of frames anew: the image has changed",
        )
    if pixels.ndim == 2:
        return pixels
    if _shows_colour(pixels) and _spread_of_channels(pixels) > GREY_TOLERANCE:
        raise _coloured(path, pixels)
    return np.ascontiguousarray(pixels[..., 0])


def read_counts(path: Path, *, page: int | None = None) -> Counts | None:
    """Read the counts of a thermal image of more than 8 bits, unchanged; None if it has 8.

    page: see `decode`. Raises BadInput if it cannot be decoded or holds a value that is no number.
    """
    pixels = decode(path, page=page)
    return pixels if _is_deep(pixels) else None


def holds_counts(path: Path) -> bool:
    """Whether an image has more than 8 bits a pixel, from its header alone. Raises as `size_of`."""
    with opened(path) as image:
        return image.mode.startswith(("I", "F"))


def read_visible(path: Path, *, page: int | None = None, sha256: str = "") -> VisibleImage:
    """Read an 8-bit colour image.

    page, sha256: see `decode`. Raises BadInput if it cannot be decoded, has more than 8 bits or is grey.
    """
    pixels = decode(path, page=page, sha256=sha256)
    if _is_deep(pixels) or pixels.ndim == 2 or not _shows_colour(pixels):
        raise BadInput(
            given=f"{path} is grey where a colour image is expected",
            needed="visible images have three channels that differ",
            remedy="check that thermal and visible images are not exchanged, or leave this one out",
        )
    return pixels


def size_of(path: Path) -> tuple[int, int]:
    """Width and height of the upright image, from its header. Raises BadInput if it is no image."""
    with opened(path) as image:
        with reading(path, needed="a whole image", remedy=ANOTHER):
            # Pillow itself turns the size of a TIFF
            sideways = image.format != "TIFF" and image.getexif().get(ORIENTATION) in SIDEWAYS
        width, height = image.size
    return (height, width) if sideways else (width, height)


def untoned(path: Path) -> BadInput:
    """Error for an image of more than 8 bits for which no tone is set."""
    return BadInput(
        given=f"{path} holds more than 8 bits a pixel and no tone is set for it",
        needed="one mapping of counts to 8 bits for the whole data set; nothing is clipped silently",
        remedy="set `tone` in the data set's block under `sources` in params.yaml, for example "
        "{kind: percentile, low: 1, high: 99}",
    )


def write_image(
    path: Path,
    image: UInt8[np.ndarray, "h w"] | UInt8[np.ndarray, "h w 3"],
    *,
    note: str | None = None,
) -> None:
    """Write one 8-bit image, whole or not at all; the suffix of `path` names the format.

    note: a text to keep inside a PNG, which `note_in` gives back.
    """
    how: dict[str, Any] = {"quality": 95}  # only JPEG uses it
    if note is not None:
        how["pnginfo"] = PngInfo()
        how["pnginfo"].add_text(NOTE, note)
    with whole_file(path) as part:
        Image.fromarray(image).save(part, **how)


def note_in(path: Path) -> str | None:
    """The note of an image that `write_image` wrote; None for any other. Raises as `size_of`."""
    with opened(path) as image:
        note = image.info.get(NOTE)
    return note if isinstance(note, str) else None


def _is_deep(pixels: Shaped[np.ndarray, "..."]) -> bool:
    return pixels.dtype != np.uint8


def _coloured(path: Path, pixels: UInt8[np.ndarray, "h w 3"]) -> BadInput:
    """Error for colour where a thermal image is expected.

    At most 256 colours in many more pixels are those of a palette, such as ironbow; JPEG mixes them, so
    that more tell nothing. The heat is not computed back: the file does not say which palette it was.
    """
    flat = pixels.reshape(-1, 3)
    is_palette = len(np.unique(flat, axis=0)) <= min(PALETTE, len(flat) // 4)
    palette = "shows the false colours of a palette, such as ironbow,"
    return BadInput(
        given=f"{path} {palette if is_palette else 'shows colour'} where a thermal image is "
        "expected",
        needed="thermal images are grey (one channel, or three equal ones), or hold counts",
        remedy="save a thermal image in false colours again in grey (white hot) or as counts; else "
        "check that thermal and visible images are not exchanged",
    )


def _shows_colour(pixels: UInt8[np.ndarray, "h w 3"]) -> bool:
    """Whether any channel differs from another anywhere."""
    red, green, blue = np.moveaxis(pixels, -1, 0)
    return not (np.array_equal(red, green) and np.array_equal(green, blue))


def _spread_of_channels(pixels: UInt8[np.ndarray, "h w 3"]) -> int:
    """The largest difference between two channels of one pixel, in grey levels."""
    red, green, blue = np.moveaxis(pixels, -1, 0)
    highest = np.maximum(np.maximum(red, green), blue)
    return int((highest - np.minimum(np.minimum(red, green), blue)).max())
