"""From an image file to its pixels: what the file says beyond them is applied, or else it is refused.

A file may say that the camera was held on its side, that zero is white, that there are more pages, or
that its numbers are wider than the library reads. Passing over that would give a wrong image, silently.
"""

import hashlib
import re
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from io import BytesIO
from pathlib import Path
from typing import IO, Final

import numpy as np
from jaxtyping import Shaped
from PIL import Image, ImageFile, UnidentifiedImageError

from thermochroma.base.errors import BadInput
from thermochroma.base.reading import reading

FORMATS: Final = ("BMP", "GIF", "JPEG", "JPEG2000", "PNG", "PPM", "TIFF", "WEBP")
"""Formats by Pillow's names; that of JPEG opens an MPO too. Others are refused by their content: Pillow
hands some, such as EPS, to another program."""
ANOTHER: Final = "give the file anew, or leave it out"
DEEP_COLOUR: Final = re.compile(r";16[BLN]")  # Pillow's names for codings of 16 bits a channel
ORIENTATION, WHITE_IS_ZERO, UNSIGNED = 274, 0, 1  # EXIF's tag; values of the next two
PHOTOMETRIC, SAMPLE_FORMAT, KIND_OF_PAGE, BITS = 262, 339, 254, 258  # TIFF's tags
NO_PAGE: Final = 0b101  # bits in the kind of a TIFF's page: a preview, a mask of transparency
SIDEWAYS: Final = (5, 6, 7, 8)  # orientations that exchange height and width


def decode(path: Path, *, page: int | None = None, sha256: str = "") -> Shaped[np.ndarray, "..."]:
    """Read all pixels, upright: 8 bits in one or three channels, or more bits in one.

    page: which one of several, from 1; None for a file that must have one alone. sha256: of the file, as
    the table of frames has it; "" if it is not known. Raises BadInput if the file is missing, damaged,
    another one or no image, or says something that can be neither applied nor left.
    """
    with opened(path, sha256=sha256) as image:
        _choose_page(path, image, page)
        _refuse_deep_colour(path, image)
        with reading(path, needed="a whole image", remedy=ANOTHER):
            image.load()  # decodes all of it: this is where a cut file shows
            pixels, orientation = _pixels(image), image.getexif().get(ORIENTATION, 1)
        upright = _native(_upright(pixels, orientation))
        found = _from_black_to_white(path, image, upright)
        _refuse_overflow(path, image, found)
    _refuse_no_numbers(path, found)
    return found


@contextmanager
def opened(path: Path, *, sha256: str = "") -> Iterator[ImageFile.ImageFile]:
    """Open an image, its pixels unread. Raises BadInput if it is missing, another one or no image."""
    formats = ", ".join(FORMATS)
    with ExitStack() as stack:
        with reading(path, needed=f"an image ({formats})", remedy=ANOTHER):
            # By a stream: what Pillow maps by its name, a TIFF on its side, comes out in rows of the
            # wrong length (Pillow 13.0).
            stream: IO[bytes] = _same(path, sha256) if sha256 else path.open("rb")
            stack.enter_context(stream)
            try:
                image = stack.enter_context(Image.open(stream, formats=FORMATS))
            except UnidentifiedImageError:  # its words name the stream
                raise UnidentifiedImageError("its content is none of these formats") from None
        yield image


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


def _pixels(image: ImageFile.ImageFile) -> Shaped[np.ndarray, "..."]:
    grey = image.mode == "L" or image.mode.startswith(("I", "F"))
    return np.asarray(image if grey or image.mode == "RGB" else image.convert("RGB"))


def _upright(pixels: Shaped[np.ndarray, "..."], orientation: int) -> Shaped[np.ndarray, "..."]:
    """Turn and mirror an image as EXIF's orientation, from 1 to 8, tells a viewer to."""
    if orientation in SIDEWAYS:
        pixels = pixels.swapaxes(0, 1)
    if orientation in (3, 4, 7, 8):
        pixels = pixels[::-1]
    return pixels[:, ::-1] if orientation in (2, 3, 6, 7) else pixels


def _native(pixels: Shaped[np.ndarray, "..."]) -> Shaped[np.ndarray, "..."]:
    return np.ascontiguousarray(pixels).astype(pixels.dtype.newbyteorder("="), copy=False)


def _choose_page(path: Path, image: ImageFile.ImageFile, page: int | None) -> None:
    with reading(path, needed="a whole image", remedy=ANOTHER):
        pages = _pages(image)
    if page is None and len(pages) > 1:
        raise BadInput(
            given=f"{path} has {len(pages)} pages or frames",
            needed="one image in a file, or the number of its page",
            remedy="save the one that you mean as a file of its own (`translate` has `--page`)",
        )
    if page is not None and not 1 <= page <= len(pages):
        raise BadInput(
            given=f"{path} has no page {page}",
            needed=f"a number from 1 to {len(pages)}",
            remedy="correct the number, or leave the file out",
        )
    with reading(path, needed="a whole image", remedy=ANOTHER):
        image.seek(pages[0 if page is None else page - 1])


def _pages(image: ImageFile.ImageFile) -> list[int]:
    """Places of a file's images; previews and masks are none.

    An MPO is a camera's JPEG: after the image come its preview or a map of brightness.
    """
    count = 1 if image.format == "MPO" else getattr(image, "n_frames", 1)
    if count == 1 or image.format != "TIFF":
        return list(range(count))
    found = []
    for place in range(count):
        image.seek(place)
        if not _tag(image, KIND_OF_PAGE, 0) & NO_PAGE:
            found.append(place)
    return found or [0]


def _tag(image: ImageFile.ImageFile, number: int, otherwise: int) -> int:
    """Value of a TIFF's tag, the first of several; `otherwise` for none, and for other formats."""
    value = getattr(image, "tag_v2", {}).get(number, otherwise)
    return int(value[0] if isinstance(value, tuple) else value)


def _refuse_deep_colour(path: Path, image: ImageFile.ImageFile) -> None:
    """Raise BadInput for 16-bit colour: Pillow would silently drop the lower 8 bits."""
    if image.mode.startswith("I") or not any(
        DEEP_COLOUR.search(str(one.args)) for one in image.tile
    ):
        return
    raise BadInput(
        given=f"{path} holds 16 bits in each of several channels",
        needed="8 bits a channel, or one channel of 16-bit counts",
        remedy="keep one channel of a thermal image, or save a visible one with 8 bits",
    )


def _from_black_to_white(
    path: Path, image: ImageFile.ImageFile, pixels: Shaped[np.ndarray, "..."]
) -> Shaped[np.ndarray, "..."]:
    """Turn counts round in which zero is white; with 8 bits Pillow does so itself."""
    if pixels.dtype == np.uint8 or _tag(image, PHOTOMETRIC, 1) != WHITE_IS_ZERO:
        return pixels
    if pixels.dtype == np.uint16 and _tag(image, BITS, 16) == 16:
        return np.iinfo(np.uint16).max - pixels
    raise BadInput(
        given=f"{path} says that its zero is white, and holds {pixels.dtype} values, which have no "
        "black to count from",
        needed="values that rise with the heat, or 16-bit counts",
        remedy="save it with black as zero (TIFF: PhotometricInterpretation 1)",
    )


def _refuse_overflow(
    path: Path, image: ImageFile.ImageFile, pixels: Shaped[np.ndarray, "..."]
) -> None:
    """Raise BadInput for unsigned counts of 32 bits that Pillow reads as negative ones."""
    if pixels.dtype != np.int32 or _tag(image, SAMPLE_FORMAT, UNSIGNED) != UNSIGNED:
        return
    if count := int((pixels < 0).sum()):
        raise BadInput(
            given=f"{path} holds {count} counts above {np.iinfo(np.int32).max:,}",
            needed="counts that a camera can give",
            remedy="repair the file (no data is often stored as the highest count), or leave it out",
        )


def _refuse_no_numbers(path: Path, pixels: Shaped[np.ndarray, "..."]) -> None:
    if pixels.dtype.kind != "f" or np.isfinite(pixels).all():
        return
    count = int((~np.isfinite(pixels)).sum())
    raise BadInput(
        given=f"{path} holds {count} values that are no numbers (NaN or infinite)",
        needed="a count or a temperature in every pixel",
        remedy="repair the file or leave it out",
    )
