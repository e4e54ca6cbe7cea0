"""The cut images on disk, mapped into memory."""

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd
from jaxtyping import Int

from thermochroma.base.errors import BadInput
from thermochroma.base.images import ThermalImage, VisibleImage
from thermochroma.base.manifest import CROP_COLUMNS, read_table, select
from thermochroma.base.sealed import REMEDY
from thermochroma.base.shards import Shard

MANIFEST: Final = "manifest.csv"
FINGERPRINT: Final = "fingerprint.txt"
FULL: Final = "full"
"""Subfolder of the crops with whole held-out frames, if the settings ask for it."""


@dataclass(frozen=True, eq=False)
class CropIndex:
    """Places of the images of some frames, as arrays: fast to look up, cheap to send to a process.

    names: file names of the shards. shard: positions in `names`. index: the position in that shard.
    """

    folder: Path
    names: tuple[str, ...]
    shard: Int[np.ndarray, " n"]
    index: Int[np.ndarray, " n"]

    def __len__(self) -> int:
        return len(self.index)

    def thermal(self, n: int) -> ThermalImage:
        """The thermal image of the n-th frame, memory-mapped."""
        return self.image("thermal", n)

    def visible(self, n: int) -> VisibleImage:
        """The visible image of the n-th frame, memory-mapped."""
        return self.image("visible", n)

    def image(self, spectrum: str, n: int) -> np.ndarray:
        """The image of one spectrum of the n-th frame, memory-mapped."""
        return _shard(self.folder, spectrum, self.names[self.shard[n]])[self.index[n]]


class Crops:
    """The shards of one data set and their manifest. A shard is opened when it is first read."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.manifest = read_table(folder / MANIFEST, CROP_COLUMNS)

    def split(self, split: str) -> pd.DataFrame:
        """Rows of the manifest of one split that have pixels. Raises BadInput if there is none."""
        rows = select(self.manifest, split)
        if rows.empty:
            raise BadInput(
                given=f"{self.folder} has no usable frame in the {split} split",
                needed="at least one",
                remedy="look at the column `dropped` of its manifest.csv for the reasons",
            )
        return rows

    def places(self, rows: pd.DataFrame) -> CropIndex:
        """Places of the images of these rows of the manifest."""
        numbers, names = pd.factorize(rows["shard"])
        index = rows["index"].to_numpy(np.int64)
        return CropIndex(self.folder, tuple(map(str, names)), numbers, index)

    def thermal(self, row: pd.Series) -> ThermalImage:
        """The thermal image of one row of the manifest."""
        return self.image("thermal", row)

    def visible(self, row: pd.Series) -> VisibleImage:
        """The visible image of one row of the manifest."""
        return self.image("visible", row)

    def image(self, spectrum: str, row: pd.Series) -> np.ndarray:
        """The image of one spectrum of one row of the manifest."""
        return _shard(self.folder, spectrum, row["shard"])[row["index"]]


@cache
def _shard(folder: Path, spectrum: str, name: str) -> Shard:
    """All images of a shard, memory-mapped, read-only; each is compared with its CRC-32 once a process."""
    return Shard(folder / spectrum / name, remedy=REMEDY)
