"""Files that earlier stages wrote, read again: with all that is needed in them, or one sentence."""

from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any, Final

import pandas as pd

from thermochroma.base.errors import BadInput
from thermochroma.base.reading import reading
from thermochroma.base.sealed import read_json
from thermochroma.base.tables import read_csv

HISTORY: Final = "history.csv"
"""Name of the table of a training's readings, in its folder."""
SUFFIX: Final = {"visible": "", "thermal": "_visible_to_thermal"}
"""Ends of the names of tables, by the spectrum that is predicted."""
PREDICTIONS: Final = "predictions_sha256"
"""Key of the digest of the images that were scored, in the metrics of a row from outside."""
AGAIN: Final = (
    "remove it and run `dvc repro`: the stage that writes it runs again where it is not as it was "
    "written"
)


def read_numbers(
    path: Path,
    *,
    needed: str,
    columns: Sequence[str] = (),
    texts: Collection[str] = (),
    remedy: str = AGAIN,
) -> pd.DataFrame:
    """Read a table in CSV that has these columns; all but `texts` hold numbers, or nothing.

    Raises BadInput if it is another file.
    """
    table = read_csv(path, needed=needed, remedy=remedy, dtype=dict.fromkeys(texts, str))
    with reading(path, needed=needed, remedy=remedy):
        table[list(columns)]  # pandas names those that are missing
        table.drop(columns=[*texts], errors="ignore").apply(pd.to_numeric)
    return table


def read_history(folder: Path) -> pd.DataFrame:
    """Readings taken while a training ran: one line a number of images shown."""
    needed = "a line of numbers for each reading, with the images shown"
    return read_numbers(folder / HISTORY, needed=needed, columns=["images"])


def read_mapping(
    path: Path, *, needed: str, keys: Collection[str] = (), remedy: str = AGAIN
) -> dict[str, Any]:
    """Read a mapping in JSON that has these keys. Raises BadInput if it is another file."""
    found = read_json(path, needed=needed, remedy=remedy)
    if missing := [key for key in keys if key not in found]:
        given = f"{path} has no {', '.join(missing)}"
        raise BadInput(given=given, needed=needed, remedy=remedy)
    return found


def read_means(
    path: Path, *, of: Collection[str], needed: str, remedy: str = AGAIN
) -> dict[str, dict[str, float]]:
    """Read numbers by name, below each of the keys `of`: scores by split. Raises BadInput as above."""
    found = read_mapping(path, needed=needed, keys=of, remedy=remedy)
    with reading(path, needed=needed, remedy=remedy):
        return means_in({key: found[key] for key in of})


def means_in(found: dict[str, Any]) -> dict[str, dict[str, float]]:
    """Two levels of mappings, the lower one of numbers."""
    return {key: {name: float(one) for name, one in row.items()} for key, row in found.items()}
