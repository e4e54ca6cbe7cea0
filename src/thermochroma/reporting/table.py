"""One table of rows, from which Markdown, CSV and LaTeX are written (`table_text`).

Every number in it is computed here from scores of images, or measured, or published and marked so.
"""

from collections.abc import Mapping
from typing import Final

import numpy as np
import pandas as pd

from thermochroma.metrics.image_scores import PERCEPTION, SCORES, Score
from thermochroma.reporting.layout import (
    COMPETING,
    COST,
    KINDS,
    MAIN,
    NEEDS_VIDEO,
    SCORED,
    STRUCTURE,
    TOLERANT,
    UNIFORM,
    WITH_INTERVAL,
    About,
    Cell,
    Column,
    Line,
    Measured,
    Part,
    Quantity,
    Row,
    Table,
)
from thermochroma.reporting.numbers import digits, heading, number, with_interval
from thermochroma.reporting.published import PUBLISHED
from thermochroma.reporting.snapshots import chosen
from thermochroma.reporting.statistics import (
    better_than,
    estimate,
    pooled_psnr,
    refuse_other_frames,
)
from thermochroma.reporting.table_caption import definitions_of, deviations, notes_of, title_of

CHOSEN: Final = "psnr_chosen"
CLAIMED: Final = " (claimed)"
KID_SD: Final = Column("kid_lite_sd", f"SD of {PERCEPTION['kid_lite'].title}")


def build_table(rows: Mapping[str, Row], about: About, *, seed: int = 0) -> Table:
    """Build the table of `rows` (name to row), methods first, then entries, the linear probe, trivial rows,
    oracles.

    Raises BadInput if two rows were not scored on the same frames.
    """
    first = next(iter(rows.values())).scores
    for row in rows.values():
        refuse_other_frames(first, row.scores)
    names = sorted(rows, key=lambda name: KINDS.index(rows[name].kind))  # stable within a kind
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
                **_cost_cells(rows[name].cost, is_claimed=rows[name].kind == "entry"),
                **_run_cells(rows[name].runs),
                **_chosen_cell(rows[name].snapshots),
                **_perception_cells(rows[name], about.split),
            },
            rows[name].sharper_than,
        )
        for name in names
    )
    lines = _behind_methods(lines, videoless)
    parts = _parts(about, groups, rows)
    said = dict.fromkeys(rows[name].note for name in names if rows[name].note)
    notes = (*said, *deviations(rows), *notes_of(about, lines, parts, first))
    title, definitions = title_of(about, first), definitions_of(about, first, lines)
    return Table(about.dataset, about.label, title, definitions, parts, lines, notes)


def _behind_methods(lines: tuple[Line, ...], more: tuple[Line, ...]) -> tuple[Line, ...]:
    methods = tuple(line for line in lines if line.kind == "method")
    return (*methods, *more, *lines[len(methods) :])


def _parts(
    about: About, groups: list[tuple[str, str]], rows: Mapping[str, Row]
) -> tuple[Part, ...]:
    """Parts of the table, without columns that no row has: thermal images have no colour, for example."""
    taken = next(iter(rows.values())).scores.columns
    main = (
        *(Column(name, heading(SCORES[name]), interval=True) for name in WITH_INTERVAL),
        *(Column(f"p_{name}", f"p ({SCORES[name].title})") for name in WITH_INTERVAL),
        *(Column(name, heading(SCORES[name])) for name in MAIN if name in taken),
    )
    tolerant = tuple(Column(name, heading(SCORES[name])) for name in TOLERANT)
    parts = [
        Part("scores", "Scores (protocol `audited`)", main),
        Part("paper", "By the paper's rule (protocol `paper`)", _paper_columns(about)),
        Part("tolerant", "Tolerant readings", tolerant),
    ]
    structure = [Column(name, heading(SCORES[name])) for name in STRUCTURE if name in taken]
    if any(row.flicker is not None for row in rows.values()):
        structure.append(Column("flicker", "Flicker [levels] ↓"))
    if structure:
        parts.append(Part("edges", "Edges and time", tuple(structure)))
    seen = tuple(Column(name, heading(score)) for name, score in PERCEPTION.items())
    parts.append(Part("perception", "Perception", (*seen, KID_SD)))
    if groups:
        columns = tuple(
            Column(f"{name}_{key}_{value}", f"{value}: {heading(SCORES[name])}")
            for key, value in groups
            for name in WITH_INTERVAL
        )
        parts.append(Part("groups", "By time of day and place", columns))
    if any(row.cost for row in rows.values()):
        columns = tuple(Column(key, _cost_heading(quantity)) for key, quantity in COST.items())
        parts.append(Part("cost", "Cost", columns))
    if any(row.runs for row in rows.values()):
        spread = (
            Column(f"runs_sd_{name}", f"SD of {SCORES[name].title}") for name in WITH_INTERVAL
        )
        parts.append(Part("runs", "Runs", (Column("runs", "Runs"), *spread)))
    return tuple(parts)


def _paper_columns(about: About) -> tuple[Column, ...]:
    """Columns of the scores that the papers' code prints, as far as it is known, and of printed numbers."""
    chosen_there = (Column(CHOSEN, "PSNR, chosen on the test set [dB] ↑"),)
    return (
        Column(UNIFORM, heading(SCORES[UNIFORM])),
        Column("psnr_by_image", "PSNR, mean of images [dB] ↑"),
        Column("psnr_pooled", "PSNR pooled [dB] ↑"),
        *(chosen_there if about.split == "test" else ()),
        *(
            Column(f"published_{part}", f"{part}, SSIM / PSNR: published (another protocol)")
            for part in PUBLISHED.get(about.dataset, {})
        ),
    )


def _groups(scores: pd.DataFrame) -> list[tuple[str, str]]:
    """Pairs (column, value) of every time and place, where there is more than one."""
    found = {key: sorted(set(scores[key]) - {""}) for key in ("time", "place")}
    return [(key, value) for key, values in found.items() if len(values) > 1 for value in values]


def _score_cells(scores: pd.DataFrame, seed: int) -> dict[str, Cell]:
    taken = [name for name in SCORED if name in scores and name not in WITH_INTERVAL]
    plain = {name: _mean_cell(scores, name) for name in taken}
    intervals = {
        name: with_interval(estimate(scores, name, seed=seed), SCORES[name].decimals)
        for name in WITH_INTERVAL
    }
    pooled = pooled_psnr(scores)
    shown = Cell(pooled, number(pooled, SCORES["psnr"].decimals))
    by_image = {"psnr_by_image": _mean_cell(scores, "psnr")}
    return {**intervals, **plain, **by_image, "psnr_pooled": shown}


def _mean_cell(scores: pd.DataFrame, name: str, known: Mapping[str, Score] = SCORES) -> Cell:
    mean = float(scores[name].mean())
    return Cell() if np.isnan(mean) else Cell(mean, number(mean, known[name].decimals))


def _perception_cells(row: Row, split: str) -> dict[str, Cell]:
    """Cells of LPIPS, FID and both KIDs, empty where they were not taken."""
    cells = dict.fromkeys(PERCEPTION, Cell())
    for name in PERCEPTION:
        if name in row.scores:
            cells[name] = _mean_cell(row.scores, name, PERCEPTION)
    for name, value in row.distances.get(split, {}).items():
        cells[name] = Cell(value, number(value, PERCEPTION[name.removesuffix("_sd")].decimals))
    return cells


def _test_cells(row: Row, reference: pd.DataFrame | None, seed: int) -> dict[str, Cell]:
    if row.kind not in COMPETING or reference is None:
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


def _run_cells(runs: tuple[pd.DataFrame, ...]) -> dict[str, Cell]:
    """Number of runs, and standard deviation of their means."""
    if not runs:
        return {}
    cells = {"runs": Cell(len(runs), str(len(runs)))}
    for name in WITH_INTERVAL:
        spread = float(np.std([run[name].mean() for run in runs], ddof=1))
        cells[f"runs_sd_{name}"] = Cell(spread, number(spread, SCORES[name].decimals + 1))
    return cells


def _chosen_cell(snapshots: tuple[pd.DataFrame, ...]) -> dict[str, Cell]:
    found = chosen(snapshots)
    if not found:
        return {}
    return {CHOSEN: Cell(found["psnr"], number(found["psnr"], SCORES["psnr"].decimals))}


def _flicker_cell(flicker: float | None) -> dict[str, Cell]:
    return {} if flicker is None else {"flicker": Cell(flicker, number(flicker, 2))}


def _cost_cells(cost: Mapping[str, Measured] | None, *, is_claimed: bool) -> dict[str, Cell]:
    measured, mark = cost or {}, CLAIMED if is_claimed else ""
    if strange := set(measured) - set(COST):
        raise ValueError(f"no cost is called {sorted(strange)}; known are {list(COST)}")
    return {
        key: Cell(
            value,
            (value if isinstance(value, str) else digits(value * COST[key].scale)) + mark,
        )
        for key, value in measured.items()
        if value is not None
    }


def _cost_heading(quantity: Quantity) -> str:
    return f"{quantity.title} [{quantity.unit}]" if quantity.unit else quantity.title
