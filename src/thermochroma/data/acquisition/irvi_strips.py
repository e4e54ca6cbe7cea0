"""Cutting of strips: three frames side by side in one file, as some video loaders need them.

Consecutive strips may share frames. A frame whose two images are, pixel for pixel, in the strip before
is not written again; in JPEG strips they may differ by a rounding, and the cropping then handles such
near duplicates. Cut frames are written as PNG, since they were already compressed once.
"""

import hashlib
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np
from jaxtyping import UInt8
from PIL import Image
from tqdm import tqdm

from thermochroma.base.errors import BadInput
from thermochroma.base.files import whole_folder
from thermochroma.base.images import read_thermal, read_visible, size_of

FRAMES: Final = 3
LEAST_ASPECT: Final = 2.5
"""Ratio of width to height from which an image counts as a strip; single frames have 1 to 1.8."""
THERMAL: Final = "thermal"
VISIBLE: Final = "visible"

Hashes = tuple[bytes, bytes]
"""Hashes of a frame's thermal and visible pixels."""


def frames_in(
    image: UInt8[np.ndarray, "h w ..."],
) -> list[UInt8[np.ndarray, "h third ..."]]:
    """Split a strip into its three frames, from left to right; any other image is returned alone."""
    height, width = image.shape[:2]
    if width < LEAST_ASPECT * height:
        return [image]
    side = width // FRAMES
    return [image[:, side * n : side * (n + 1)] for n in range(FRAMES)]


def write_frames(
    pairs: Sequence[tuple[Path | None, Path | None]], folder: Path, *, desc: str
) -> None:
    """Write the frames of `pairs` (thermal, visible), in order, so that `folder` appears whole.

    A strip NAME gives `thermal/NAME_0.png` to `NAME_2.png`, and likewise below `visible/`, without the
    frames that the strip before it has. Any other file is copied unchanged, broken ones too: both
    images of a pair take the thermal file's name. Does nothing if `folder` exists.
    """
    if folder.is_dir():
        return
    before: list[Hashes] = []
    with whole_folder(folder) as part:
        for kind in (THERMAL, VISIBLE):
            (part / kind).mkdir()
        for thermal, visible in tqdm(pairs, desc=desc, unit="pair"):
            if _is_strip(thermal) and _is_strip(visible):
                assert thermal is not None  # a strip is a file
                assert visible is not None
                before = _cut(thermal, visible, part, before)
            else:
                _copy(thermal, visible, part)
                before = []


def _is_strip(path: Path | None) -> bool:
    """Whether the file is an image with the shape of a strip; False for a broken one."""
    if path is None:
        return False
    try:
        width, height = size_of(path)
    except BadInput:  # the inspection reports the copy as broken
        return False
    return width >= LEAST_ASPECT * height


def _cut(thermal: Path, visible: Path, folder: Path, before: Sequence[Hashes]) -> list[Hashes]:
    """Write the frames that the strip before did not have; return the hashes of this strip."""
    try:
        frames = list(
            zip(frames_in(read_thermal(thermal)), frames_in(read_visible(visible)), strict=True)
        )
    except BadInput:
        _copy(thermal, visible, folder)
        return []
    hashes = [(_hash(warm), _hash(seen)) for warm, seen in frames]
    for number, (warm, seen) in enumerate(frames):
        if hashes[number] not in before:
            for kind, image in ((THERMAL, warm), (VISIBLE, seen)):
                path = folder / kind / f"{thermal.stem}_{number}.png"
                Image.fromarray(image).save(path)  # the folder appears whole, so files need not
    return hashes


def _copy(thermal: Path | None, visible: Path | None, folder: Path) -> None:
    named = thermal or visible
    assert named is not None  # a pair has a file
    for kind, path in ((THERMAL, thermal), (VISIBLE, visible)):
        if path is not None:
            shutil.copyfile(path, folder / kind / f"{named.stem}{path.suffix.lower()}")


def _hash(image: UInt8[np.ndarray, "..."]) -> bytes:
    return hashlib.sha256(np.ascontiguousarray(image).data).digest()
