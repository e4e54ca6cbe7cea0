"""Tables in the form of the CMMF-Net paper's, our numbers and the printed ones side by side, never mixed.

Table 1 is KAIST by day, Table 2 IRVI, Table 3 the ablation on KAIST. Any other data set has tables of
the same form, whose captions say so.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

import pandas as pd

from thermochroma.metrics.image_scores import SCORES
from thermochroma.reporting.layout import (
    COMPETING,
    KINDS,
    UNIFORM,
    WITH_INTERVAL,
    About,
    Cell,
    Column,
    Line,
    Part,
    Row,
    Table,
)
from thermochroma.reporting.numbers import heading, number, with_interval
from thermochroma.reporting.published import PAPER_RULE, PUBLISHED, SOURCE
from thermochroma.reporting.significance import compare_pairs
from thermochroma.reporting.snapshots import chosen
from thermochroma.reporting.statistics import LEVEL, RESAMPLES, estimate
from thermochroma.reporting.table_caption import deviations, title_of

METHODS_TABLE: Final = {"irvi": 2}
"""Number of the paper's table of methods, where it is not 1."""
PRINTED_THERE: Final = {"kaist": (1, 3), "irvi": (2,)}
"""Numbers of the tables that the paper prints for a data set."""
ABLATION: Final = {
    "cmmf_net": "CMMF-Net",
    "cmmf_net_no_text": "CMMF-Net without text",
    "cmmf_net_no_interaction": "CMMF-Net without interaction",
}
"""Rows of Table 3 and columns of Figure 6, with titles for those that are missing."""

CHOSEN: Final = (UNIFORM, "psnr")
"""Scores that are shown for the snapshot that is best on the test set."""


def methods_table(rows: Mapping[str, Row], about: About, *, seed: int) -> Table:
    """Build Table 1 or 2: every row on each part of the test set that the paper prints separately."""
    number_ = METHODS_TABLE.get(about.dataset, 1)
    return _table(
        number_, "every method, trivial row and oracle", rows, about, deviations(rows), seed
    )


def ablation_table(rows: Mapping[str, Row], about: About, *, seed: int) -> Table:
    """Build Table 3: CMMF-Net whole and without its parts, with the difference of each from the whole.

    Entries that are not in the line-up are named in a note.
    """
    some = {
        name: row for name, row in rows.items() if name in ABLATION or row.kind not in COMPETING
    }
    missing = [title for name, title in ABLATION.items() if name not in some]
    notes = (f"Not in the line-up: {', '.join(missing)}.",) if missing else ()
    notes = (*notes, *deviations(some))
    table = _table(3, "what text and interaction add to CMMF-Net", some, about, notes, seed)
    present = [name for name in ABLATION if name in some]
    if "cmmf_net" not in present or len(present) < 2:
        return table
    columns = tuple(
        column
        for score in WITH_INTERVAL
        for column in (
            Column(f"d_{score}", f"{SCORES[score].title}, whole minus row", interval=True),
            Column(f"d_p_{score}", f"p ({SCORES[score].title})"),
        )
    )
    found = _losses({name: some[name].scores for name in present}, seed)
    lines = tuple(
        replace(line, cells={**line.cells, **found.get(line.name, {})}) for line in table.lines
    )
    said = (
        "Differences from the whole: two-sided paired sign flips over sequences, corrected jointly for "
        "all pairs of the entries shown."
    )
    part = Part("differences", "Differences from the whole", columns)
    return replace(table, parts=(*table.parts, part), lines=lines, notes=(*table.notes, said))


def _table(
    place: int, what: str, rows: Mapping[str, Row], about: About, notes: tuple[str, ...], seed: int
) -> Table:
    first = next(iter(rows.values())).scores
    groups = _groups(about.dataset, first)
    parts = tuple(
        Part(part or "all", title, _columns(part, about.dataset)) for part, title in groups.items()
    )
    lines = tuple(
        Line(
            name,
            row.title,
            row.kind,
            {
                key: cell
                for part in groups
                for key, cell in _cells(name, row, part, about.dataset, seed).items()
            },
        )
        for name, row in _in_order(rows)
    )
    label = f"{about.label}-table-{place}"
    title, definitions = _title(place, what, about, first), _definitions(place, about)
    return Table(about.dataset, label, title, definitions, parts, lines, (*notes, PAPER_RULE))


def _in_order(rows: Mapping[str, Row]) -> list[tuple[str, Row]]:
    return sorted(rows.items(), key=lambda item: KINDS.index(item[1].kind))


def _groups(dataset: str, scores: pd.DataFrame) -> dict[str, str]:
    """Parts of the test set that have numbers in the paper and images here; else the whole."""
    parts = [part for part in PUBLISHED.get(dataset, {}) if len(_of_part(scores, part))]
    return {part: part.capitalize() for part in parts} or {"": "All images"}


def _of_part(scores: pd.DataFrame, part: str) -> pd.DataFrame:
    if not part:
        return scores
    return scores[(scores["time"] == part) | (scores["place"] == part)]


def _columns(part: str, dataset: str) -> tuple[Column, ...]:
    audited = [
        Column(f"{name}_{part}".strip("_"), f"Ours: {heading(SCORES[name])}", interval=True)
        for name in WITH_INTERVAL
    ]
    uniform = Column(
        f"{UNIFORM}_{part}".strip("_"), f"Ours, protocol `paper`: {heading(SCORES[UNIFORM])}"
    )
    flattered = [
        Column(
            f"chosen_{name}_{part}".strip("_"),
            f"Ours, protocol `paper`, chosen on the test set: {heading(SCORES[name])}",
        )
        for name in CHOSEN
    ]
    ours = (*audited, uniform, *flattered)
    if part not in PUBLISHED.get(dataset, {}):
        return ours
    printed = [
        Column(f"published_{name}_{part}", f"Published: {heading(SCORES[name])}")
        for name in WITH_INTERVAL
    ]
    return (*ours, *printed)


def _cells(name: str, row: Row, part: str, dataset: str, seed: int) -> dict[str, Cell]:
    scores = _of_part(row.scores, part)
    cells = {
        f"{score}_{part}".strip("_"): with_interval(
            estimate(scores, score, seed=seed), SCORES[score].decimals
        )
        for score in WITH_INTERVAL
    }
    uniform = float(scores[UNIFORM].mean())
    shown = number(uniform, SCORES[UNIFORM].decimals)
    cells[f"{UNIFORM}_{part}".strip("_")] = Cell(uniform, shown)
    flattered = chosen([_of_part(one, part) for one in row.snapshots])
    for score in CHOSEN if flattered else ():
        text = number(flattered[score], SCORES[score].decimals)
        cells[f"chosen_{score}_{part}".strip("_")] = Cell(flattered[score], text)
    printed = PUBLISHED.get(dataset, {}).get(part, {}).get(name)
    if printed is not None:
        for score in WITH_INTERVAL:
            value = getattr(printed, score)
            cells[f"published_{score}_{part}"] = Cell(value, f"{value:.2f}")
    return cells


def _losses(scores: Mapping[str, pd.DataFrame], seed: int) -> dict[str, dict[str, Cell]]:
    """Difference, the whole minus the entry, by entry, with p corrected jointly."""
    cells: dict[str, dict[str, Cell]] = {name: {} for name in scores if name != "cmmf_net"}
    for score in WITH_INTERVAL:
        scored = compare_pairs(scores, score, seed=seed)
        for name, mine in cells.items():
            found = scored.between("cmmf_net", name)  # the whole comes first
            mine[f"d_{score}"] = with_interval(found.difference, SCORES[score].decimals)
            mine[f"d_p_{score}"] = Cell(found.p_joint, number(found.p_joint, 4))
    return cells


def _printed_there(place: int, about: About) -> bool:
    return place in PRINTED_THERE.get(about.dataset, ())


def _title(place: int, what: str, about: About, scores: pd.DataFrame) -> str:
    """Title of the table: its origin and its subject."""
    named = f"Table {place} of the paper of CMMF-Net"
    if not _printed_there(place, about):
        named = f"In the shape of Table {place}"
    return f"{named}: {what}. {title_of(about, scores)}"


def _definitions(place: int, about: About) -> str:
    """Definitions of the columns."""
    source = "The paper prints no numbers for this data set."
    if _printed_there(place, about):
        source = f"Published: {SOURCE}."
    return (
        f"Ours by the protocol `audited` with the {LEVEL:.0%} bootstrap interval over sequences "
        f"({RESAMPLES:,} resamples, percentiles put further out for few sequences), and once "
        f"more by the protocol `paper`. {source} Oracles see the truth and are no competitors."
    )
