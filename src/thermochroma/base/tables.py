"""Tables that one stage writes and another reads: CSV that says how many rows it has, and its digest.

Both stand in the name of the last column, whose cells are empty: `rows:108 sha256:0123456789abcdef`. So a
table stays plain CSV for pandas, spreadsheets and DVC, and one that was cut at a line is noticed.
"""

import re
from collections.abc import Mapping
from io import BytesIO
from pathlib import Path
from typing import Any, Final

import pandas as pd

from thermochroma.base.errors import BadInput
from thermochroma.base.files import whole_file
from thermochroma.base.reading import reading
from thermochroma.base.sealed import BLANK, REMEDY, is_whole, refuse_changed, seal

_ROWS: Final = re.compile(rb"rows:(\d+) sha256:[0-9a-f]{16}")


def write_csv(path: Path, table: pd.DataFrame) -> None:
    """Write a table that carries its number of rows and its digest, whole or not at all."""
    with whole_file(path) as part:
        sealed = table.assign(**{f"rows:{len(table)} {BLANK}": ""})
        sealed.to_csv(part, index=False, lineterminator="\n")
        seal(part)


def read_csv(
    path: Path,
    *,
    needed: str,
    remedy: str = REMEDY,
    dtype: Mapping[str, Any] | None = None,
    keep_default_na: bool = True,
) -> pd.DataFrame:
    """Read what `write_csv` wrote, without its last column; the rest as `pandas.read_csv` does.

    Raises BadInput if the file was cut or changed, or cannot be read.
    """
    with reading(path, needed=needed, remedy=remedy):
        content = path.read_bytes()
    _refuse_cut(path, content, needed=needed, remedy=remedy)
    with reading(path, needed=needed, remedy=remedy):
        table = pd.read_csv(BytesIO(content), dtype=dtype, keep_default_na=keep_default_na)
    return table.iloc[:, :-1]


def _refuse_cut(path: Path, content: bytes, *, needed: str, remedy: str) -> None:
    """Raise BadInput for other bytes than those that were written; say how many rows are left of them."""
    if content and not is_whole(BytesIO(content)) and (written := _ROWS.search(content)):
        left = max(content.count(b"\n") - 1, 0)
        if left < int(written.group(1)):
            raise BadInput(
                given=f"{path} has {left} lines below its head, and {written.group(1).decode()} rows "
                "were written",
                needed=needed,
                remedy=remedy,
            )
    refuse_changed(path, BytesIO(content), remedy=remedy)
