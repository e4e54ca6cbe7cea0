"""The cut pictures on disk, mapped into memory."""

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd
from jaxtyping import Int

from thermochroma.base.errors import BadInput
from thermochroma.base.images import ThermalPicture, VisiblePicture
from thermochroma.base.manifest import CROP_COLUMNS, read_table, select

MANIFEST: Final = "manifest.csv"
FINGERPRINT: Final = "fingerprint.txt"
FULL: Final = "full"
"""Below a folder of crops: another one, with whole held-out frames, if the settings ask for it."""


@dataclass(frozen=True, eq=False)
class Places:
    """Where the pictures of some frames lie, as arrays: quick to look up, cheap to send elsewhere.

    shard: numbers of `names`. index: the position inside that shard.
    """

    folder: Path
    names: tuple[str, ...]
    shard: Int[np.ndarray, " n"]
    index: Int[np.ndarray, " n"]

    def __len__(self) -> int:
        return len(self.index)

    def thermal(self, n: int) -> ThermalPicture:
        """The thermal picture of the n-th frame; mapped, not read."""
        return self.picture("thermal", n)

    def visible(self, n: int) -> VisiblePicture:
        """The visible picture of the n-th frame; mapped, not read."""
        return self.picture("visible", n)

    def picture(self, spectrum: str, n: int) -> np.ndarray:
        """The picture of one spectrum of the n-th frame; mapped, not read."""
        return _shard(self.folder, spectrum, self.names[self.shard[n]])[self.index[n]]


class Crops:
    """One data set's shards and their manifest. Shards are opened when first read."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.manifest = read_table(folder / MANIFEST, CROP_COLUMNS)

    def split(self, split: str) -> pd.DataFrame:
        """The frames of a split that have pixels. Raises BadInput if there is none."""
        rows = select(self.manifest, split)
        if rows.empty:
            raise BadInput(
                given=f"{self.folder} has no usable frame in the {split} split",
                needed="at least one",
                remedy="look at the column `dropped` of its manifest.csv for the reasons",
            )
        return rows

    def places(self, rows: pd.DataFrame) -> Places:
        """Where the pictures of these rows of the manifest lie."""
        numbers, names = pd.factorize(rows["shard"])
        index = rows["index"].to_numpy(np.int64)
        return Places(self.folder, tuple(map(str, names)), numbers, index)

    def thermal(self, row: pd.Series) -> ThermalPicture:
        """The thermal picture of one row of the manifest."""
        return self.picture("thermal", row)

    def visible(self, row: pd.Series) -> VisiblePicture:
        """The visible picture of one row of the manifest."""
        return self.picture("visible", row)

    def picture(self, spectrum: str, row: pd.Series) -> np.ndarray:
        """The picture of one spectrum of one row of the manifest."""
        return _shard(self.folder, spectrum, row["shard"])[row["index"]]


@cache
def _shard(folder: Path, spectrum: str, name: str) -> np.ndarray:
    """All pictures of a shard, mapped, not read; writing to them fails."""
    # As a plain array: np.memmap makes an object of its own for every picture taken out of it.
    return np.asarray(np.load(folder / spectrum / name, mmap_mode="r"))
