"""The tables of frames: columns, reading, writing, selecting. One row per frame, CSV on disk."""

from pathlib import Path
from typing import Final

import pandas as pd

from thermochroma.base.errors import BadInput
from thermochroma.base.sealed import REMEDY
from thermochroma.base.tables import read_csv, write_csv

FRAME_COLUMNS: Final = {
    "frame": "string",  # "set00/V000/I00000": unique
    "sequence": "string",  # a recording; belongs to exactly one split
    "mount": "string",  # frames whose two cameras have the same pose: they share one transform
    "rig": "string",  # mounts of one pair of cameras, whose poses are nearly alike; "" if alone
    "split": "string",  # train | validation | test
    "place": "string",  # "" where unknown
    "time": "string",  # day | night | ""
    "thermal": "string",  # path below the raw folder
    "visible": "string",
    "width": "Int64",  # of the raw visible image, in pixels; empty if it cannot be read
    "height": "Int64",
    "tone": "string",  # how 16-bit counts become 8 bits (images.Tone); "" for 8-bit images
    "thermal_sha256": "string",
    "visible_sha256": "string",
    "defect": "string",  # why the frame cannot be used; "" if it can
    "left_out": "string",  # why a sound frame is not used: the data set's profile; "" if it is
}
"""Columns of the table that `download` writes: every frame of the data set, usable or not."""

CROP_COLUMNS: Final = {
    "frame": "string",
    "sequence": "string",
    "split": "string",
    "place": "string",
    "time": "string",
    "clip": "Int64",  # consecutive frames that share one window, counted within the sequence
    "transform": "string",  # six numbers, row by row: visible pixel -> thermal pixel, as registered
    "zoom": "Float64",  # visible raw pixels are enlarged by this before the window is cut; 1 = as they are
    "left": "Int64",  # the window's corner, in zoomed visible pixels
    "top": "Int64",
    "shard": "string",  # "thermal/<shard>" and "visible/<shard>" hold the pixels; "" if dropped
    "index": "Int64",  # position inside the shard
    "dropped": "string",  # why the frame is not in the shards; "" if it is
}
"""Columns of the table that `crop` writes: the same frames, and the place of their pixels or the reason
why they have none."""

FACTS: Final = ["frame", "sequence", "split", "place", "time"]
"""Columns of a table of scores that describe the frame and are no scores."""


def write_table(path: Path, table: pd.DataFrame, columns: dict[str, str]) -> None:
    """Write `table` with exactly `columns`, in their order, whole or not at all."""
    write_csv(path, _typed(table, columns, path))


def read_table(path: Path, columns: dict[str, str]) -> pd.DataFrame:
    """Read a table written by `write_table`; empty strings stay empty strings.

    Raises BadInput if the columns are not exactly `columns`, or if the file was cut or changed.
    """
    needed = f"a table with the columns {', '.join(columns)}"
    raw = read_csv(
        path, needed=needed, dtype=dict.fromkeys(columns, "string"), keep_default_na=False
    )
    return _typed(raw, columns, path)


def usable(table: pd.DataFrame) -> pd.DataFrame:
    """The frames of a table of FRAME_COLUMNS that have no defect and are not left out."""
    return table[(table["defect"] == "") & (table["left_out"] == "")]


def select(table: pd.DataFrame, split: str) -> pd.DataFrame:
    """The frames of one split that have pixels, in the table's order, numbered from 0."""
    chosen = table[(table["split"] == split) & (table["dropped"] == "")]
    return chosen.reset_index(drop=True)


def _typed(table: pd.DataFrame, columns: dict[str, str], path: Path) -> pd.DataFrame:
    if list(table.columns) != list(columns):
        raise BadInput(
            given=f"{path} has the columns {list(table.columns)}",
            needed=f"a table of frames has the columns {list(columns)}",
            remedy=REMEDY,
        )
    typed = table.copy()
    for name, kind in columns.items():
        values = typed[name]
        if kind != "string":
            values = values.replace("", pd.NA)
        typed[name] = values.astype(kind)  # type: ignore[call-overload]
    return typed
