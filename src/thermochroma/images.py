"""Pictures: their types and value ranges, and the only code that reads, scales or casts pixels.

On disk and for judging, pictures are 8-bit arrays (`ThermalPicture`, `VisiblePicture`); inside the
networks they are tensors in [-1, 1] (`Thermal`, `Visible`). Nothing else crosses this border.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeAlias

import numpy as np
import torch
from jaxtyping import Float, UInt8
from PIL import Image, UnidentifiedImageError
from torch import Tensor

from thermochroma.errors import BadInput
from thermochroma.files import whole_file

Thermal: TypeAlias = Float[Tensor, "b 1 h w"]
"""A batch of thermal pictures in [-1, 1]."""
Visible: TypeAlias = Float[Tensor, "b 3 h w"]
"""A batch of visible pictures, sRGB in [-1, 1], channels red, green, blue."""
Picture: TypeAlias = Float[Tensor, "b c h w"]
"""A batch of either spectrum in [-1, 1]."""

ThermalPicture: TypeAlias = UInt8[np.ndarray, "h w"]
"""One thermal picture, 8 bits."""
VisiblePicture: TypeAlias = UInt8[np.ndarray, "h w 3"]
"""One visible picture, 8-bit sRGB, channels red, green, blue."""

@dataclass(frozen=True)
class Tone:
    """How 16-bit counts become 8 bits: counts from `black` to `white` are mapped onto 0 to 255.

    It belongs to a data set or a sequence, never to a single picture. As text: "window 7000 9000".
    """

    kind: Literal["window", "clahe"]
    black: int
    white: int


GREY_TOLERANCE = 3  # grey levels: what JPEG's chroma rounding leaves between three equal channels


def to_network(pictures: UInt8[Tensor, "b c h w"]) -> Picture:
    """8 bits to [-1, 1]: 0 becomes -1 and 255 becomes 1."""
    return pictures.to(torch.float32) / 127.5 - 1


def to_bytes(pictures: Picture) -> UInt8[Tensor, "b c h w"]:
    """[-1, 1] to 8 bits, clamped and rounded to the nearest level (never floored)."""
    return ((pictures.float().clamp(-1, 1) + 1) * 127.5).round().to(torch.uint8)


def to_unit(pictures: Picture) -> Picture:
    """[-1, 1] to [0, 1], unclamped: for losses that are defined on unit range."""
    return (pictures + 1) / 2


def read_thermal(path: Path) -> ThermalPicture:
    """Read an 8-bit thermal picture; three equal channels count as one.

    Raises BadInput if the file is missing, truncated, no picture, has more than 8 bits or shows colour.
    """
    pixels = _read(path)
    if pixels.ndim == 2:
        return pixels
    if _spread_of_channels(pixels) > GREY_TOLERANCE:
        raise BadInput(
            given=f"{path} shows colour where a thermal picture is expected",
            needed="thermal pictures are grey (one channel, or three equal ones)",
            remedy="check that the thermal and visible folders are not exchanged",
        )
    return np.ascontiguousarray(pixels[..., 0])


def read_visible(path: Path) -> VisiblePicture:
    """Read an 8-bit colour picture.

    Raises BadInput if the file is missing, truncated, no picture, has more than 8 bits or is grey.
    """
    pixels = _read(path)
    if pixels.ndim == 2 or _spread_of_channels(pixels) == 0:
        raise BadInput(
            given=f"{path} is grey where a colour picture is expected",
            needed="visible pictures have three channels that differ",
            remedy="check that the thermal and visible folders are not exchanged, or remove the pair",
        )
    return pixels


def size_of(path: Path) -> tuple[int, int]:
    """Width and height, from the file's head alone. Raises BadInput if it is no picture."""
    try:
        with Image.open(path) as image:
            return image.size
    except (UnidentifiedImageError, OSError) as error:
        raise BadInput(
            given=f"{path} cannot be opened as a picture ({error})",
            needed="a JPEG or PNG file",
            remedy="fetch the file again or remove the pair",
        ) from error


def write_picture(
    path: Path, picture: UInt8[np.ndarray, "h w"] | UInt8[np.ndarray, "h w 3"]
) -> None:
    """Write one 8-bit picture, whole or not at all; the suffix of `path` names the format."""
    with whole_file(path) as part:
        Image.fromarray(picture).save(part, quality=95)  # read by JPEG alone


def _read(path: Path) -> UInt8[np.ndarray, "..."]:
    try:
        with Image.open(path) as image:
            image.load()  # decodes all of it: this is where a truncated file shows
            _refuse_deep(path, image.mode)
            pixels = np.asarray(image if image.mode in {"L", "RGB"} else image.convert("RGB"))
    except FileNotFoundError:
        raise BadInput(
            given=f"{path} does not exist",
            needed="every frame needs its thermal and its visible picture",
            remedy="restore the file or remove its twin",
        ) from None
    except (UnidentifiedImageError, OSError, SyntaxError) as error:
        raise BadInput(
            given=f"{path} cannot be decoded ({error})",
            needed="whole JPEG or PNG files are read",
            remedy="fetch the file again or remove the pair",
        ) from error
    return pixels


def _refuse_deep(path: Path, mode: str) -> None:
    if mode.startswith(("I", "F")):
        raise BadInput(
            given=f"{path} holds more than 8 bits a pixel (mode {mode})",
            needed="8-bit pictures are read so far, since clipping counts in silence would spoil them",
            remedy="map the counts to 8 bits with one fixed window for the whole data set first",
        )


def _spread_of_channels(pixels: UInt8[np.ndarray, "h w 3"]) -> int:
    red, green, blue = np.moveaxis(pixels, -1, 0)
    highest = np.maximum(np.maximum(red, green), blue)
    return int((highest - np.minimum(np.minimum(red, green), blue)).max())
