"""The cut pictures on disk, mapped into memory."""

from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd

from thermochroma.errors import BadInput
from thermochroma.images import ThermalPicture, VisiblePicture
from thermochroma.manifest import CROP_COLUMNS, read_table, select

MANIFEST = "manifest.csv"


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

    def thermal(self, row: pd.Series) -> ThermalPicture:
        """The thermal picture of one row of the manifest."""
        picture: ThermalPicture = _shard(self.folder / "thermal" / row["shard"])[row["index"]]
        return picture

    def visible(self, row: pd.Series) -> VisiblePicture:
        """The visible picture of one row of the manifest."""
        picture: VisiblePicture = _shard(self.folder / "visible" / row["shard"])[row["index"]]
        return picture


@cache
def _shard(path: Path) -> np.ndarray:
    mapped: np.ndarray = np.load(path, mmap_mode="r")
    return mapped
