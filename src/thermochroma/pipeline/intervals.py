"""Intervals of the tables, read again for MLflow: its runs are sorted by means, which say little alone."""

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Final, TypeAlias

import pandas as pd

from thermochroma.base.reading import reading
from thermochroma.base.splits import SCORED_SPLITS
from thermochroma.pipeline.stored import AGAIN, SUFFIX

Bounds: TypeAlias = Mapping[str, Mapping[str, Mapping[str, float]]]
"""Bounds of intervals by row and split; their names are those of scores, with `_low` and `_high`."""
NEEDED: Final = "the table of all rows, as the stage compare writes it"


def intervals_in(tables: Path) -> Bounds:
    """Read the bounds of the 95 % intervals of all rows from the tables of one data set.

    A row that stands for several runs has the interval of their mean, which is that of none of them: it
    is left out. Raises BadInput for a table that is not as it was written.
    """
    found: dict[str, dict[str, dict[str, float]]] = {}
    for split in SCORED_SPLITS:
        for path in (tables / f"{split}{suffix}.csv" for suffix in SUFFIX.values()):
            if path.exists():
                for row, bounds in _bounds_in(path).items():
                    found.setdefault(row, {})[split] = bounds
    return found


def _bounds_in(path: Path) -> dict[str, dict[str, float]]:
    """Read one table: it is for people, and carries no digest of itself."""
    with reading(path, needed=NEEDED, remedy=AGAIN):
        table = pd.read_csv(path, dtype=str)
        # Without a row of several runs a table has no column for their number.
        alone = (table[table["runs"].isna()] if "runs" in table else table).set_index("row")
        bounds = alone[[name for name in alone.columns if name.endswith(("_low", "_high"))]]
        rows = bounds.astype(float).to_dict("index")
    return {
        str(row): {str(name): value for name, value in found.items() if math.isfinite(value)}
        for row, found in rows.items()
    }


def with_intervals(
    means: Mapping[str, Mapping[str, float]], bounds: Mapping[str, Mapping[str, float]]
) -> dict[str, dict[str, float]]:
    """Means by split, with the bounds of their intervals where there are any."""
    return {split: {**row, **bounds.get(split, {})} for split, row in means.items()}
