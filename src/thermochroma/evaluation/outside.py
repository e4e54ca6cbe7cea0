"""Predictions from outside: one PNG a frame, exactly as many and as large as the frames are."""

import hashlib
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd
import torch
from jaxtyping import UInt8
from PIL import ImageFile
from tqdm import tqdm

from thermochroma.base.decoding import DEEP_COLOUR, decode, opened
from thermochroma.base.errors import BadInput
from thermochroma.base.files import sha256
from thermochroma.base.image_files import image_files
from thermochroma.evaluation.flicker import Predictor
from thermochroma.inference.predictions import Predicted

NAMED: Final = 3
"""Number of files that a sentence names."""
MODES: Final = {"visible": "RGB", "thermal": "L"}
"""Pillow's name for the one coding of pixels that is taken, by the spectrum that is predicted."""
CODINGS: Final = {
    "visible": "in colour, 8 bits in each of three channels",
    "thermal": "in grey, 8 bits",
}
HOLDING: Final = {
    "L": "in grey",
    "RGB": "in colour",
    "P": "with a palette",
    "1": "of 1 bit",
    "CMYK": "in the colours of a printer",
}
"""Words for other codings, by Pillow's names for them."""


@dataclass(frozen=True, eq=False)
class OutsidePredictions:
    """A folder of predictions, with the names and the size that they must have.

    names: of the files, by frame. spectrum: the one that is predicted. size: width and height, in pixels.
    """

    folder: Path
    names: Mapping[str, str]
    spectrum: str
    size: tuple[int, int]

    def refuse_misfits(self) -> None:
        """Raise BadInput unless there is one fitting file for each frame, and no other image.

        Reads heads of files alone: what is damaged further down shows when the image is read.
        """
        if not self.folder.is_dir():
            raise BadInput(
                given=f"{self.folder} is no folder",
                needed="a folder of predictions, one PNG for each frame",
                remedy="correct the path",
            )
        self._refuse_other_names({path.name for path in image_files(self.folder)})
        faults: dict[str, list[str]] = {}
        for name in self.names.values():
            if fault := self._fault(name):
                faults.setdefault(fault, []).append(name)
        for fault, names in faults.items():
            raise self._refusal(
                f"{self.folder}: {len(names)} of {len(self.names)} images {fault} ({_some(names)})"
            )

    def __call__(self, rows: pd.DataFrame) -> Predicted:
        """Read the predictions of these frames. Raises BadInput for a file that is damaged."""
        images = np.stack([self._read(self.names[frame]) for frame in rows["frame"]])
        found = torch.from_numpy(images)
        return found[:, None] if found.ndim == 3 else found.permute(0, 3, 1, 2).contiguous()

    def digest(self) -> str:
        """SHA-256 over the names and the bytes of all files."""
        named = (f"{name} {sha256(self.folder / name)}\n" for name in sorted(self.names.values()))
        return hashlib.sha256("".join(named).encode()).hexdigest()

    def _refuse_other_names(self, found: Collection[str]) -> None:
        """Raise BadInput for frames without a file, and for images that belong to no frame."""
        wanted = {*self.names.values()}
        lost, surplus = sorted(wanted - {*found}), sorted({*found} - wanted)
        said = [f"lacks {len(lost)} of {len(wanted)} images ({_some(lost)})"] if lost else []
        said += (
            [f"has {len(surplus)} that belong to no frame ({_some(surplus)})"] if surplus else []
        )
        if said:
            raise BadInput(
                given=f"{self.folder} {' and '.join(said)}",
                needed="one PNG for each frame and no further image, named as the frame's own",
                remedy="add or rename what is missing, and take out what is too many (`thermochroma "
                "frames` writes all frames under the names that are asked for)",
            )

    def _fault(self, name: str) -> str:
        """Words for what does not fit in the head of a file; "" if nothing does."""
        try:
            with opened(self.folder / name) as image:
                return _coding_fault(image, self.spectrum) or self._size_fault(image.size)
        except BadInput as error:
            raise self._refusal(error.given) from error

    def _size_fault(self, size: tuple[int, int]) -> str:
        return "" if size == self.size else f"of {size[0]}x{size[1]} pixels"

    def _read(self, name: str) -> UInt8[np.ndarray, "h w *c"]:
        path = self.folder / name
        try:
            pixels = decode(path)
        except BadInput as error:  # its remedy, to leave the file out, would not do here
            raise self._refusal(error.given) from error
        height, width = pixels.shape[:2]
        if fault := self._size_fault((width, height)):  # an orientation in its EXIF turns it
            raise self._refusal(f"{path} is {fault} once it is upright")
        return pixels

    def _refusal(self, given: str) -> BadInput:
        width, height = self.size
        return BadInput(
            given=given,
            needed=f"a whole PNG for each frame, {CODINGS[self.spectrum]}, of {width}x{height} pixels",
            remedy="write these images again in that form, from the predictions themselves",
        )


def in_batches(
    rows: pd.DataFrame, predict: Predictor, *, size: int, title: str
) -> Iterator[tuple[pd.DataFrame, Predicted]]:
    """Predictions of the rows, `size` frames at a time. title: of the bar of progress."""
    for start in tqdm(range(0, len(rows), size), desc=title, unit="batch"):
        some = rows.iloc[start : start + size]
        yield some, predict(some)


def _coding_fault(image: ImageFile.ImageFile, spectrum: str) -> str:
    """Words for a coding other than the one that is taken; "" for that one."""
    if image.format != "PNG":
        return f"in truth {image.format}"
    if getattr(image, "n_frames", 1) > 1:
        return "of several frames"
    if image.mode in {"RGBA", "LA", "PA"} or "transparency" in image.info:
        return "with an alpha channel"
    if image.mode.startswith("I") or any(DEEP_COLOUR.search(str(one.args)) for one in image.tile):
        return "of 16 bits"
    return "" if image.mode == MODES[spectrum] else HOLDING.get(image.mode, f"of mode {image.mode}")


def _some(names: Sequence[str]) -> str:
    """The first few names."""
    return ", ".join(names[:NAMED]) + (", …" if len(names) > NAMED else "")
