"""Captions written by a person: a CSV file for all data sets, one pattern of frame ids per line."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from fnmatch import fnmatchcase, translate
from pathlib import Path
from typing import Final, Literal

import pandas as pd

from thermochroma.base.errors import BadInput
from thermochroma.base.plugins import nearest
from thermochroma.contract.dataset import dataset_names
from thermochroma.data.captioning.leak_linter import refuse_colour_words

OVERRIDE_COLUMNS: Final = ["dataset", "id_glob", "text", "author", "date", "looked_at", "note"]


@dataclass(frozen=True)
class Override:
    """A person's sentence for all frames of a data set whose id matches the pattern."""

    dataset: str
    pattern: str
    text: str
    author: str
    looked_at: Literal["thermal", "visible"]
    where: str
    """The line of the file, for messages."""


def choose_override(overrides: Sequence[Override], frame: str, *, split: str) -> Override | None:
    """Choose the override with the longest pattern that matches; later lines win ties.

    A sentence whose author looked at the visible image is never used for a test frame.
    """
    fitting = [
        one
        for one in overrides
        if fnmatchcase(frame, one.pattern) and not (split == "test" and one.looked_at == "visible")
    ]
    return max(reversed(fitting), key=lambda one: len(one.pattern), default=None)


def read_overrides(path: Path) -> list[Override]:
    """Read a CSV with the columns OVERRIDE_COLUMNS. Raises BadInput that names the faulty line."""
    table = pd.read_csv(path, dtype="string", keep_default_na=False)
    if list(table.columns) != OVERRIDE_COLUMNS:
        raise BadInput(
            given=f"{path} has the columns {list(table.columns)}",
            needed=f"the columns {OVERRIDE_COLUMNS}",
            remedy="correct its first line",
        )
    return [_override(row, f"line {line} of {path}") for line, row in _numbered(table)]


def overrides_of(
    dataset: str, overrides: Sequence[Override], frames: Sequence[str]
) -> list[Override]:
    """Select the overrides of one data set. frames: all its ids, used or not.

    Raises BadInput for a pattern that matches none of them: a typing error would go unnoticed.
    """
    own = [one for one in overrides if one.dataset == dataset]
    for one in own:
        fits = re.compile(translate(one.pattern)).match
        if not any(fits(frame) for frame in frames):
            raise BadInput(
                given=f"{one.where} has the pattern `{one.pattern}`, which matches no frame of "
                f"`{dataset}`",
                needed=f"a pattern of its frame ids, such as {frames[0] if len(frames) else 'a/*'}",
                remedy="correct or remove the line",
            )
    return own


def _override(row: pd.Series, where: str) -> Override:
    _refuse_unknown(row["dataset"], where)
    refuse_colour_words(row["text"], where=where)
    _refuse_undated(row["date"], where)
    if row["looked_at"] not in {"thermal", "visible"}:
        raise BadInput(
            given=f"{where} has looked_at `{row['looked_at']}`",
            needed="`thermal` or `visible`: the image that the author looked at",
            remedy="correct it",
        )
    return Override(
        dataset=row["dataset"],
        pattern=row["id_glob"],
        text=row["text"],
        author=row["author"],
        looked_at=row["looked_at"],
        where=where,
    )


def _refuse_unknown(dataset: str, where: str) -> None:
    known = dataset_names()
    if dataset not in known:
        raise BadInput(
            given=f"{where} has the data set `{dataset}`{nearest(dataset, known)}",
            needed=f"known names: {', '.join(known)}",
            remedy="correct it",
        )


def _refuse_undated(text: str, where: str) -> None:
    try:
        date.fromisoformat(text)
    except ValueError:
        raise BadInput(
            given=f"{where} has the date `{text}`",
            needed="a date such as 2026-01-31",
            remedy="correct it",
        ) from None


def _numbered(table: pd.DataFrame) -> Iterator[tuple[int, pd.Series]]:
    for place, (_, row) in enumerate(table.iterrows()):
        yield place + 2, row  # the first line is the header
