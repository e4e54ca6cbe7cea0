"""Notes inside the images that `translate` writes, by which it knows its own and what they were made of."""

import hashlib
import json
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
from jaxtyping import UInt8

from thermochroma.base.decoding import ANOTHER, decode
from thermochroma.base.errors import BadInput
from thermochroma.base.files import sha256
from thermochroma.base.images import note_in, write_image
from thermochroma.base.reading import reading


@dataclass(frozen=True)
class Origin:
    """Note inside every image that is written, as digests: of its input, of all else, of its pixels."""

    input: str
    how: str
    pixels: str = ""


def write_noted(target: Path, image: UInt8[np.ndarray, "h w *c"], origin: Origin) -> None:
    """Write an image with its origin, to which the digest of its pixels is added."""
    note = replace(origin, pixels=_digest_of(image))
    write_image(target, image, note=json.dumps(asdict(note), sort_keys=True))


def is_made_of(target: Path, origin: Origin) -> bool:
    """Whether an image is there already, made of the same.

    Raises BadInput for a file that is not as we wrote it, which is never replaced.
    """
    there = _ours(target)
    return there is not None and replace(there, pixels="") == origin


def digest(path: Path) -> str:
    """SHA-256 of a file. Raises BadInput if it cannot be read."""
    with reading(path, needed="a file that can be read", remedy=ANOTHER):
        return sha256(path)


def _digest_of(image: UInt8[np.ndarray, "h w *c"]) -> str:
    return hashlib.sha256(repr(image.shape).encode() + image.tobytes()).hexdigest()


def _ours(target: Path) -> Origin | None:
    """Origin of an image that we wrote; None for a name that is free. Raises BadInput for others."""
    if not target.exists() and not target.is_symlink():
        return None
    try:
        origin = Origin(**json.loads(note_in(target) or ""))
        if origin.pixels == _digest_of(decode(target)):
            return origin
    except (BadInput, TypeError, ValueError, RecursionError):
        pass
    raise BadInput(
        given=f"{target} exists and is not as `translate` wrote it",
        needed="a free name: only images of `translate`'s own are replaced",
        remedy="name another folder with --to, or remove that file yourself",
    )
