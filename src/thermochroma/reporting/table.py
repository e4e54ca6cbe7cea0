"""One table of rows, from which Markdown, CSV and LaTeX are written (`table_text`).

Every number in it is computed here from one row a picture, or measured, or published and marked so.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Literal, TypeAlias

import numpy as np
import pandas as pd

from thermochroma.metrics.picture_scores import SCORES, Score
from thermochroma.reporting.published import PUBLISHED, SOURCE
from thermochroma.reporting.statistics import (
    EXACT_UP_TO,
    FLIPS,
    LEVEL,
    RESAMPLES,
    Estimate,
    better_than,
    estimate,
    pooled_psnr,
    refuse_other_frames,
)

Kind: TypeAlias = Literal["method", "trivial", "oracle"]
NEEDS_VIDEO: Final = "needs video"
Measured: TypeAlias = int | float | str | None
WITH_INTERVAL: Final = ("ssim", "psnr")
MAIN: Final = (
    "ms_ssim",
    "ciede2000",
    "psnr_ab",
    "colourfulness_difference",
    "gradient_correlation",
)
STRUCTURE: Final = ("edges_kept", "edges_f")
OTHER: Final = ("ssim_7u", "psnr_shift", "ssim_shift", "psnr_gain", "ssim_gain")


@dataclass(frozen=True)
class Row:
    """What is known of one row: its scores, one line a picture, and its cost where it has one.

    scores: columns frame, sequence, place, time and all of `SCORES`. cost: keys of `COST`.
    """

    title: str
    kind: Kind
    scores: pd.DataFrame
    cost: Mapping[str, Measured] | None = None
    note: str = ""
    """What must be said of it below the table; rows may share one note."""
    flicker: float | None = None
    """Of its video, in levels, on the test split; None where there is none."""


@dataclass(frozen=True)
class About:
    """What must be said beside the numbers.

    weights: those of the frozen networks. reference: the row that methods are tested against.
    true_flicker: of the true video, in levels. needs_video: methods that this data set cannot teach, by
    name, with their titles.
    """

    dataset: str
    title: str
    note: str
    split: str
    size: int
    weights: Literal["random", "pretrained"]
    reference: str = "mean_colour"
    true_flicker: float | None = None
    needs_video: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Cell:
    """A value with the text that shows it; an interval where it has one. Empty: None and ""."""

    value: Measured = None
    text: str = ""
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True)
class Column:
    """interval: whether its cells carry one."""

    key: str
    heading: str
    interval: bool = False


@dataclass(frozen=True)
class Part:
    """Some columns of the table under one title: as many as a page takes."""

    title: str
    columns: tuple[Column, ...]


@dataclass(frozen=True)
class Line:
    """One row, ready to print."""

    name: str
    title: str
    kind: Kind
    cells: Mapping[str, Cell]


@dataclass(frozen=True)
class Table:
    """A table ready to print; a line that lacks a cell shows it empty."""

    dataset: str
    caption: str
    parts: tuple[Part, ...]
    lines: tuple[Line, ...]
    notes: tuple[str, ...] = field(default=())


@dataclass(frozen=True)
class Quantity:
    """A measured cost: shown as value x scale in `unit`."""

    title: str
    unit: str = ""
    scale: float = 1.0


COST: Final[dict[str, Quantity]] = {
    "parameters": Quantity("Parameters", "M", 1e-6),
    "multiply_adds": Quantity("Multiply-adds at 256×256", "G", 1e-9),
    "latency_median_ms": Quantity("Latency, batch 1, median", "ms"),
    "latency_p95_ms": Quantity("Latency, batch 1, 95th percentile", "ms"),
    "training_pictures_per_second": Quantity("Training", "pictures/s"),
    "peak_memory_bytes": Quantity("Peak memory", "MiB", 1 / 2**20),
    "device": Quantity("Device"),
}


def build_table(rows: Mapping[str, Row], about: About, *, seed: int = 0) -> Table:
    """The table of `rows` (name to row), methods first, then trivial rows, then oracles.

    Raises BadInput if two rows were not scored on the same frames.
    """
    first = next(iter(rows.values())).scores
    for row in rows.values():
        refuse_other_frames(first, row.scores)
    order: dict[Kind, int] = {"method": 0, "trivial": 1, "oracle": 2}
    names = sorted(rows, key=lambda name: order[rows[name].kind])  # stable within a kind
    groups = _groups(first)
    reference = rows[about.reference].scores if about.reference in rows else None
    videoless = tuple(
        Line(name, title, "method", {"ssim": Cell(None, NEEDS_VIDEO)})
        for name, title in about.needs_video.items()
    )
    lines = tuple(
        Line(
            name,
            rows[name].title,
            rows[name].kind,
            {
                **_score_cells(rows[name].scores, seed),
                **_test_cells(rows[name], reference, seed),
                **_published_cells(name, about.dataset),
                **_group_cells(rows[name].scores, groups),
                **_flicker_cell(rows[name].flicker),
                **_cost_cells(rows[name].cost),
            },
        )
        for name in names
    )
    lines = _behind_methods(lines, videoless)
    parts = _parts(about, groups, rows)
    said = dict.fromkeys(rows[name].note for name in names if rows[name].note)
    notes = (*said, *_notes(about, lines, parts, first))
    return Table(about.dataset, _caption(about, first), parts, lines, notes)


def number(value: float, decimals: int) -> str:
    """A number with fixed decimals; what is not defined is "–"."""
    return "–" if np.isnan(value) else f"{value:.{decimals}f}"


def heading(score: Score) -> str:
    """Title, unit and the direction that is better."""
    unit = f" [{score.unit}]" if score.unit else ""
    return f"{score.title}{unit} {'↑' if score.higher_is_better else '↓'}"


def _behind_methods(lines: tuple[Line, ...], more: tuple[Line, ...]) -> tuple[Line, ...]:
    methods = tuple(line for line in lines if line.kind == "method")
    return (*methods, *more, *lines[len(methods) :])


def _parts(
    about: About, groups: list[tuple[str, str]], rows: Mapping[str, Row]
) -> tuple[Part, ...]:
    """Columns that no row has are left out: thermal pictures have no colour, stills no flicker."""
    taken = next(iter(rows.values())).scores.columns
    main = (
        *(Column(name, heading(SCORES[name]), interval=True) for name in WITH_INTERVAL),
        *(Column(f"p_{name}", f"p ({SCORES[name].title})") for name in WITH_INTERVAL),
        *(Column(name, heading(SCORES[name])) for name in MAIN if name in taken),
        *(
            Column(f"published_{part}", f"{part}, SSIM / PSNR: published (another protocol)")
            for part in PUBLISHED.get(about.dataset, {})
        ),
    )
    other = (
        Column("psnr_pooled", "PSNR pooled [dB] ↑"),
        *(Column(name, heading(SCORES[name])) for name in OTHER),
    )
    parts = [Part("Scores", main), Part("Other definitions and tolerant readings", other)]
    structure = [Column(name, heading(SCORES[name])) for name in STRUCTURE if name in taken]
    if any(row.flicker is not None for row in rows.values()):
        structure.append(Column("flicker", "Flicker [levels] ↓"))
    if structure:
        parts.append(Part("Edges and time", tuple(structure)))
    if groups:
        columns = tuple(
            Column(f"{name}_{key}_{value}", f"{value}: {heading(SCORES[name])}")
            for key, value in groups
            for name in WITH_INTERVAL
        )
        parts.append(Part("By time of day and place", columns))
    if any(row.cost for row in rows.values()):
        columns = tuple(Column(key, _cost_heading(quantity)) for key, quantity in COST.items())
        parts.append(Part("Cost", columns))
    return tuple(parts)


def _groups(scores: pd.DataFrame) -> list[tuple[str, str]]:
    """(column, value) of every time and place, where there is more than one."""
    found = {key: sorted(set(scores[key]) - {""}) for key in ("time", "place")}
    return [(key, value) for key, values in found.items() if len(values) > 1 for value in values]


def _score_cells(scores: pd.DataFrame, seed: int) -> dict[str, Cell]:
    taken = [name for name in (*MAIN, *OTHER, *STRUCTURE) if name in scores]
    plain = {name: _mean_cell(scores, name) for name in taken}
    with_interval = {
        name: _interval_cell(estimate(scores, name, seed=seed), SCORES[name].decimals)
        for name in WITH_INTERVAL
    }
    pooled = pooled_psnr(scores)
    shown = Cell(pooled, number(pooled, SCORES["psnr"].decimals))
    return {**with_interval, **plain, "psnr_pooled": shown}


def _mean_cell(scores: pd.DataFrame, name: str) -> Cell:
    mean = float(scores[name].mean())
    return Cell() if np.isnan(mean) else Cell(mean, number(mean, SCORES[name].decimals))


def _interval_cell(found: Estimate, decimals: int) -> Cell:
    mean, low, high = (number(value, decimals) for value in (found.mean, found.low, found.high))
    inner = "–" if np.isnan(found.low) else f"{low}, {high}"
    return Cell(found.mean, f"{mean} [{inner}]", found.low, found.high)


def _test_cells(row: Row, reference: pd.DataFrame | None, seed: int) -> dict[str, Cell]:
    if row.kind != "method" or reference is None:
        return {}
    cells = {}
    for name in WITH_INTERVAL:
        better = SCORES[name].higher_is_better
        p = better_than(row.scores, reference, name, higher_is_better=better, seed=seed)
        cells[f"p_{name}"] = Cell(p, number(p, 4))
    return cells


def _published_cells(name: str, dataset: str) -> dict[str, Cell]:
    parts = PUBLISHED.get(dataset, {})
    texts = {
        part: f"{found[name].ssim:.2f} / {found[name].psnr:.2f}"
        for part, found in parts.items()
        if name in found
    }
    return {f"published_{part}": Cell(text, text) for part, text in texts.items()}


def _group_cells(scores: pd.DataFrame, groups: list[tuple[str, str]]) -> dict[str, Cell]:
    return {
        f"{name}_{key}_{value}": _mean_cell(scores[scores[key] == value], name)
        for key, value in groups
        for name in WITH_INTERVAL
    }


def _flicker_cell(flicker: float | None) -> dict[str, Cell]:
    return {} if flicker is None else {"flicker": Cell(flicker, number(flicker, 2))}


def _cost_cells(cost: Mapping[str, Measured] | None) -> dict[str, Cell]:
    measured = cost or {}
    if strange := set(measured) - set(COST):
        raise ValueError(f"no cost is called {sorted(strange)}; known are {list(COST)}")
    return {
        key: Cell(value, value if isinstance(value, str) else _digits(value * COST[key].scale))
        for key, value in measured.items()
        if value is not None
    }


def _cost_heading(quantity: Quantity) -> str:
    return f"{quantity.title} [{quantity.unit}]" if quantity.unit else quantity.title


def _digits(value: float) -> str:
    """Three significant digits, never an exponent."""
    decimals = 2 - int(np.floor(np.log10(abs(value)))) if value else 0
    return f"{value:,.{max(0, decimals)}f}"


def _caption(about: About, scores: pd.DataFrame) -> str:
    """What the table shows, and every definition that a reader needs to check it."""
    note = f" {about.note.rstrip('.')}." if about.note else ""
    frozen = "random stand-ins" if about.weights == "random" else "pretrained"
    published = f" Published numbers: {SOURCE}." if about.dataset in PUBLISHED else ""
    taken = [name for name in (*WITH_INTERVAL, *MAIN, *OTHER, *STRUCTURE) if name in scores]
    named = (SCORES[name].definition for name in taken)
    definitions = " ".join(dict.fromkeys(named))  # two scores may share one sentence
    return (
        f"{about.title}, {about.split} split: {len(scores)} pictures of "
        f"{scores['sequence'].nunique()} sequences at {about.size}×{about.size} pixels.{note} "
        f"Pictures are judged as a person opens them: 8 bits, clamped and rounded, no flip, no "
        f"test-time average. {definitions} PSNR pooled: of the mean squared error over all "
        f"pictures. Means are over pictures; in brackets the {LEVEL:.0%} bootstrap interval "
        f"over sequences ({RESAMPLES:,} resamples, percentiles put further out for few sequences). "
        f"p: one-sided paired sign-flip test over sequences that the row beats {_reference(about)} "
        f"(all patterns up to {EXACT_UP_TO} sequences, else {FLIPS:,} drawn), not corrected for the number of rows. Oracles see the "
        f"truth and are no competitors.{_of_flicker(about)} Weights of the frozen networks used in "
        f"training: {frozen}.{published}"
    )


def _reference(about: About) -> str:
    return f"the {about.reference.replace('_', ' ')}"


def _of_flicker(about: About) -> str:
    if about.true_flicker is None:
        return ""
    return (
        " Flicker: mean absolute difference of neighbouring test frames, the first brought to the second "
        "by the flow of the thermal frames, where that is consistent both ways; a flat picture has "
        f"none, the true video {number(about.true_flicker, 2)}."
    )


def _notes(
    about: About, lines: tuple[Line, ...], parts: tuple[Part, ...], scores: pd.DataFrame
) -> tuple[str, ...]:
    """A sentence for everything that is missing."""
    keys = [column.key for part in parts for column in part.columns]
    absent = {line.name: [key for key in keys if key not in line.cells] for line in lines}
    methods = [
        line for line in lines if line.kind == "method" and line.name not in about.needs_video
    ]
    costless = [line.title for line in methods if set(absent[line.name]) & set(COST)]
    found = []
    if scores["ms_ssim"].isna().all():
        found.append("MS-SSIM is empty: the pictures are too small for it.")
    if not any(line.name == about.reference for line in lines):
        found.append(f"p is empty: there is no row of {_reference(about)} to compare with.")
    if scores["sequence"].nunique() < 2:
        found.append("–: not defined with fewer than two sequences.")
    if costless:
        found.append(f"Cost not measured, or not whole, for: {', '.join(costless)}.")
    if any(key.startswith("published_") for key in keys):
        found.append("An empty published cell: the source prints no number for that row.")
    if about.needs_video:
        titles = ", ".join(about.needs_video.values())
        found.append(
            f"{NEEDS_VIDEO}: {titles} learn from frames in a row, which are not trained on here."
        )
    if len(methods) < len(lines):
        found.append("Tests are for methods only; those cells are empty in other rows.")
    return tuple(found)
