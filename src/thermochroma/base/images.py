"""Images on disk and for scoring: 8-bit arrays, and the only code that reads and writes them.

Inside the networks images are tensors in [-1, 1]; `tensors.py` alone converts between the two.
Radiometric images keep their counts until a `Tone` maps them to 8 bits.
"""

import hashlib
import math
import re
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Final, Literal, TypeAlias

import cv2
import numpy as np
from jaxtyping import Real, Shaped, UInt8
from PIL import Image, ImageFile, UnidentifiedImageError

from thermochroma.base.errors import BadInput
from thermochroma.base.files import whole_file

ThermalImage: TypeAlias = UInt8[np.ndarray, "h w"]
"""One thermal image, 8 bits."""
VisibleImage: TypeAlias = UInt8[np.ndarray, "h w 3"]
"""One visible image, 8-bit sRGB, channels red, green, blue."""
Counts: TypeAlias = Real[np.ndarray, "h w"]
"""One radiometric image: the camera's counts (16 or 32 bits), or temperatures as floats."""

GREY_TOLERANCE = 3  # grey levels: three equal channels differ by this after JPEG's chroma rounding
DEEP_COLOUR: Final = re.compile(r";16[BLN]")  # Pillow's names for codings of 16 bits a channel
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
    def parse(cls, text: str) -> "Tone | None":
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
                remedy="let `dvc repro` write the table of frames anew",
            )
        return tone

    def apply(self, counts: Counts) -> ThermalImage:
        """Map counts to 8 bits, rounded to the nearest level."""
        unit = (counts.astype(np.float64) - self.black) / (self.white - self.black)
        image = np.rint(np.clip(unit, 0, 1) * 255).astype(np.uint8)
        if self.kind == "clahe":
            image = cv2.createCLAHE(CLAHE_CLIP, CLAHE_TILES).apply(image)
        return image


def read_thermal(path: Path, tone: Tone | None = None, *, sha256: str = "") -> ThermalImage:
    """Read a thermal image as 8 bits; three equal channels count as one.

    tone: maps counts to 8 bits; None for images that have 8 bits already. sha256: of the file, as the
    table of frames has it; "" if it is not known. Raises BadInput if the file is missing, truncated, no
    image, another one or shows colour, if it holds a value that is no number, or if it has more than
    8 bits and no tone, or 8 bits and a tone.
    """
    pixels = _read(path, sha256)
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
        raise BadInput(
            given=f"{path} shows colour where a thermal image is expected",
            needed="thermal images are grey (one channel, or three equal ones)",
            remedy="check that the thermal and visible folders are not exchanged",
        )
    return np.ascontiguousarray(pixels[..., 0])


def read_counts(path: Path) -> Counts | None:
    """Read the counts of a thermal image of more than 8 bits, unchanged; None if it has 8.

    Raises BadInput if it cannot be decoded or holds a value that is no number.
    """
    pixels = _read(path)
    return pixels if _is_deep(pixels) else None


def holds_counts(path: Path) -> bool:
    """Whether an image has more than 8 bits a pixel, from its header alone. Raises as `size_of`."""
    with _open_head(path) as opened:
        return opened.mode.startswith(("I", "F"))


def read_visible(path: Path, *, sha256: str = "") -> VisibleImage:
    """Read an 8-bit colour image.

    sha256: of the file, as the table of frames has it; "" if it is not known. Raises BadInput if the file
    is missing, truncated, no image, another one, has more than 8 bits or is grey.
    """
    pixels = _read(path, sha256)
    if _is_deep(pixels) or pixels.ndim == 2 or not _shows_colour(pixels):
        raise BadInput(
            given=f"{path} is grey where a colour image is expected",
            needed="visible images have three channels that differ",
            remedy="check that the thermal and visible folders are not exchanged, or remove the pair",
        )
    return pixels


def size_of(path: Path) -> tuple[int, int]:
    """Width and height in pixels, from the file's header alone. Raises BadInput if it is no image."""
    with _open_head(path) as opened:
        return opened.size


def untoned(path: Path) -> BadInput:
    """Error for an image of more than 8 bits for which no tone is set."""
    return BadInput(
        given=f"{path} holds more than 8 bits a pixel and no tone is set for it",
        needed="one mapping of counts to 8 bits for the whole data set; nothing is clipped silently",
        remedy="set `tone` in the data set's block under `sources` in params.yaml, for example "
        "{kind: percentile, low: 1, high: 99}",
    )


def write_image(path: Path, image: UInt8[np.ndarray, "h w"] | UInt8[np.ndarray, "h w 3"]) -> None:
    """Write one 8-bit image, whole or not at all; the suffix of `path` names the format."""
    with whole_file(path) as part:
        Image.fromarray(image).save(part, quality=95)  # only JPEG uses the quality


def _open_head(path: Path) -> ImageFile.ImageFile:
    try:
        return Image.open(path)
    except (UnidentifiedImageError, OSError) as error:
        raise BadInput(
            given=f"{path} cannot be opened as an image ({error})",
            needed="a JPEG, PNG or TIFF file",
            remedy="fetch the file again or remove the pair",
        ) from error


def _read(path: Path, sha256: str = "") -> Shaped[np.ndarray, "..."]:
    """Read all pixels: 8 bits in one or three channels, or more bits in one."""
    try:
        with Image.open(_same(path, sha256) if sha256 else path) as opened:
            _refuse_deep_colour(path, opened)
            opened.load()  # decodes all of it: this is where a truncated file shows
            grey = opened.mode == "L" or opened.mode.startswith(("I", "F"))
            pixels = np.asarray(opened if grey or opened.mode == "RGB" else opened.convert("RGB"))
    except FileNotFoundError:
        raise BadInput(
            given=f"{path} does not exist",
            needed="every frame needs its thermal and its visible image",
            remedy="restore the file or remove its partner",
        ) from None
    except (UnidentifiedImageError, OSError, SyntaxError) as error:
        raise BadInput(
            given=f"{path} cannot be decoded ({error})",
            needed="whole JPEG, PNG or TIFF files are read",
            remedy="fetch the file again or remove the pair",
        ) from error
    _refuse_no_numbers(path, pixels)
    return pixels.astype(pixels.dtype.newbyteorder("="), copy=False)


def _same(path: Path, sha256: str) -> BytesIO:
    """The file's bytes, read once. Raises BadInput if they have another SHA-256."""
    content = path.read_bytes()
    if hashlib.sha256(content).hexdigest() != sha256:
        raise BadInput(
            given=f"{path} is another file than when the table of frames was written",
            needed="the bytes whose SHA-256 is in that table",
            remedy="put the former file back, or let `dvc repro -f download@<data set>` take the new one",
        )
    return BytesIO(content)


def _is_deep(pixels: Shaped[np.ndarray, "..."]) -> bool:
    return pixels.dtype != np.uint8


def _refuse_deep_colour(path: Path, opened: ImageFile.ImageFile) -> None:
    """Raise BadInput for 16-bit colour: Pillow would silently drop the lower 8 bits."""
    if opened.mode.startswith("I") or not any(
        DEEP_COLOUR.search(str(one.args)) for one in opened.tile
    ):
        return
    raise BadInput(
        given=f"{path} holds 16 bits in each of several channels",
        needed="8 bits a channel, or one channel of 16-bit counts",
        remedy="keep one channel of a thermal image, or save a visible one with 8 bits",
    )


def _refuse_no_numbers(path: Path, pixels: Shaped[np.ndarray, "..."]) -> None:
    if pixels.dtype.kind != "f" or np.isfinite(pixels).all():
        return
    count = int((~np.isfinite(pixels)).sum())
    raise BadInput(
        given=f"{path} holds {count} values that are no numbers (NaN or infinite)",
        needed="a count or a temperature in every pixel",
        remedy="repair the file or remove the pair",
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
