"""Contents of the page: plain values, from which the script draws. Undefined numbers are null."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

import numpy as np
import pandas as pd
from jaxtyping import Float64

from thermochroma.metrics.image_scores import PERCEPTION, SCORES
from thermochroma.reporting.layout import COST, Cell, Kind, Line, Table
from thermochroma.reporting.page.duels import Duel
from thermochroma.reporting.page.verdict import Verdict

DIGITS: Final = 6
"""Number of significant digits on the page; more than any table prints."""
LESS_IS_BETTER: Final = (
    *("parameters", "multiply_adds", "latency_median_ms", "latency_p95_ms", "peak_memory_bytes"),
    "p_ssim",
    "p_psnr",
    *PERCEPTION,
)


@dataclass(frozen=True)
class PageColumn:
    """Column of scores. better: 1 if more is better, -1 if less is, 0 if neither or unknown."""

    key: str
    heading: str
    better: int
    interval: bool


@dataclass(frozen=True)
class PageRow:
    """Row of a table of scores. cells: key of a column to value, text, low and high."""

    name: str
    title: str
    kind: Kind
    cells: Mapping[str, tuple[Any, str, Any, Any]]
    sharper_than: str = ""
    """Name of the row of the same weights at the next lower sharpness; "" for all others."""


@dataclass(frozen=True)
class Scores:
    """Table of one split, with its caption and notes."""

    columns: Sequence[PageColumn]
    rows: Sequence[PageRow]
    caption: str
    notes: Sequence[str]


@dataclass(frozen=True)
class Meeting:
    """Comparison of two methods, `one` minus `other`."""

    one: str
    other: str
    duel: Duel


@dataclass(frozen=True)
class Images:
    """Images of one row; frames are given by their places in the list of the data set.

    extra: its frames beyond the common ones, which come first in the list. values: score to one value per
    frame, common frames first. extremes: score to the frames of the worst, the median and the best image.
    """

    extra: Sequence[int]
    values: Mapping[str, Sequence[float]]
    extremes: Mapping[str, Sequence[int]]


@dataclass(frozen=True)
class Section:
    """Results of one direction on one data set.

    predicted, seen: spectra. duels: score to all ordered pairs, on the test split. images: by row.
    histories: row to reading to points (images shown, value).
    """

    predicted: str
    seen: str
    title: str
    reference: str
    verdict: Verdict
    splits: Mapping[str, Scores]
    duels: Mapping[str, Sequence[Meeting]]
    images: Mapping[str, Images]
    histories: Mapping[str, Mapping[str, Sequence[tuple[float, float]]]]


@dataclass(frozen=True)
class GalleryFrame:
    """Frame of the gallery, with its sequence, place and time."""

    frame: str
    sequence: str
    place: str
    time: str


@dataclass(frozen=True)
class Link:
    """A file beside the page, or an address."""

    title: str
    target: str


@dataclass(frozen=True)
class PageDataset:
    """Contents of the page for one data set.

    size: side of its images in pixels. facts: sentences on data and training. common: number of frames
    that are shown for every row; they come first. scored: number of test frames.
    """

    name: str
    title: str
    note: str
    size: int
    facts: Sequence[str]
    frames: Sequence[GalleryFrame]
    common: int
    scored: int
    sections: Sequence[Section]
    links: Sequence[Link]


def scores_of(table: Table) -> Scores:
    """Contents of the page for one table."""
    columns = [
        PageColumn(one.key, one.heading, _better(one.key), one.interval)
        for part in table.parts
        for one in part.columns
    ]
    rows = [_row(line) for line in table.lines]
    return Scores(columns, rows, table.caption, table.notes)


def points_of(
    history: pd.DataFrame, readings: Sequence[str]
) -> dict[str, list[tuple[float, float]]]:
    """Points (images shown, value) of each of `readings` that was taken."""
    found = {}
    for reading in readings:
        if reading in history:
            taken = history[["images", reading]].dropna().to_numpy(float)
            found[reading] = [(float(images), float(value)) for images, value in taken]
    return found


def values_of(scores: Mapping[str, Float64[np.ndarray, " n"]]) -> dict[str, list[float]]:
    """Scores of the images on the page, by name; a score that no image has is left out."""
    return {
        name: scores[name].tolist()
        for name in (*SCORES, *PERCEPTION)
        if name in scores and np.isfinite(scores[name]).any()
    }


def as_json(datasets: Sequence[PageDataset]) -> str:
    """Write the data sets as JSON that is safe inside a script element: it contains no `<`."""
    plain = _plain([asdict(one) for one in datasets])
    text = json.dumps(
        plain, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
    )
    return text.replace("<", "\\u003c")


def _better(key: str) -> int:
    if key in SCORES:
        return 1 if SCORES[key].higher_is_better else -1
    if key.startswith(("ssim_", "psnr_")):  # of a place or a time
        return 1
    if key in LESS_IS_BETTER:
        return -1
    return 1 if key in COST and key != "device" else 0


def _row(line: Line) -> PageRow:
    cells = {key: _cell(cell) for key, cell in line.cells.items() if cell.text}
    return PageRow(line.name, line.title, line.kind, cells, line.sharper_than)


def _cell(cell: Cell) -> tuple[Any, str, Any, Any]:
    return cell.value, cell.text, cell.low, cell.high


def _plain(value: Any) -> Any:
    """Convert to mappings, lists, texts and numbers of few digits; NaN and infinity become None."""
    if isinstance(value, Mapping):
        return {str(key): _plain(one) for key, one in value.items()}
    if isinstance(value, str | bool | int | None):
        return value
    if isinstance(value, float):
        return float(f"{value:.{DIGITS}g}") if np.isfinite(value) else None
    return [_plain(one) for one in value]
