"""Captions written by a person: a CSV file for all data sets, one pattern of frame ids per line."""

import csv
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from fnmatch import fnmatchcase, translate
from pathlib import Path
from typing import Final, Literal

from thermochroma.base.errors import BadInput
from thermochroma.base.plugins import nearest
from thermochroma.base.reading import reading
from thermochroma.contract.dataset import whole_datasets
from thermochroma.data.captioning.leak_linter import refuse_colour_words

OVERRIDE_COLUMNS: Final = ["dataset", "id_glob", "text", "author", "date", "looked_at", "note"]
SPECTRA: Final[dict[str, Literal["thermal", "visible"]]] = {
    "thermal": "thermal",
    "visible": "visible",
}
NEEDED: Final = "a CSV file in UTF-8, with commas, whose quotes are all closed"


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


def read_overrides(path: Path, *, known: Collection[str] = ()) -> list[Override]:
    """Read a CSV with the columns OVERRIDE_COLUMNS. Raises BadInput that names the faulty line.

    known: data sets beside those that come with the program.
    """
    with (
        reading(path, needed=NEEDED, remedy="save it so from the program that wrote it"),
        path.open(encoding="utf-8-sig", newline="") as stream,
    ):
        lines = csv.reader(stream, strict=True)
        numbered = [(lines.line_num, words) for words in lines if words]
    columns = numbered[0][1] if numbered else []
    if columns != OVERRIDE_COLUMNS:
        raise BadInput(
            given=f"{path} has the columns {columns}",
            needed=f"the columns {OVERRIDE_COLUMNS}",
            remedy="correct its first line",
        )
    datasets = sorted({*whole_datasets(), *known})
    return [_parsed(words, datasets, f"line {number} of {path}") for number, words in numbered[1:]]


def _parsed(words: Sequence[str], datasets: list[str], where: str) -> Override:
    if len(words) != len(OVERRIDE_COLUMNS):
        raise BadInput(
            given=f"{where} has {len(words)} values",
            needed=f"one for each of {', '.join(OVERRIDE_COLUMNS)}",
            remedy="correct it; a sentence with a comma or a quote stands between quotes",
        )
    return _override(dict(zip(OVERRIDE_COLUMNS, words, strict=True)), datasets, where)


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


def _override(row: Mapping[str, str], datasets: list[str], where: str) -> Override:
    _refuse_unknown(row["dataset"], datasets, where)
    refuse_colour_words(row["text"], where=where)
    _refuse_undated(row["date"], where)
    looked_at = SPECTRA.get(row["looked_at"])
    if looked_at is None:
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
        looked_at=looked_at,
        where=where,
    )


def _refuse_unknown(dataset: str, known: list[str], where: str) -> None:
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
