"""The table and the figures of one data set."""

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from stages.command import run
from thermochroma.files import write_text
from thermochroma.judging import spread
from thermochroma.label import read_label
from thermochroma.loading.assemble import needs_references
from thermochroma.loading.crops import Crops
from thermochroma.loading.references import NOTE, OTHER_POLICIES
from thermochroma.metrics.baselines import ORACLES, TRIVIAL
from thermochroma.params import Params, read_params
from thermochroma.reporting.figures import Point, curves, grid, quality_against_cost, save_figure
from thermochroma.reporting.statistics import estimate
from thermochroma.reporting.table import About, Row, build_table
from thermochroma.reporting.table_text import to_csv, to_latex, to_markdown
from thermochroma.shipping import method_of, title_of
from thermochroma.source import load_source

SPLITS = ("test", "validation")
READINGS = {"validation/psnr": "PSNR, validation (dB)", "validation/ssim": "SSIM, validation"}
IN_GRID = ("mean_colour", "mean_picture")  # of the baselines; the others would crowd it


def main(
    dataset: str,
    params: Path,
    crops: Path,
    runs: Path,
    scores: Path,
    baselines: Path,
    tables: Path,
    figures: Path,
) -> None:
    """Renders exactly the line-up, never a glob: a removed method leaves no ghost row."""
    settings, cut, source = read_params(params), Crops(crops), load_source(dataset)
    rows = gather(settings, runs, scores, baselines)
    for split in SPLITS:
        about = About(
            dataset, source.title, source.note, split, settings.crop[dataset].size, settings.weights
        )
        table = build_table(of_split(rows, split), about, seed=settings.seed)
        for suffix, write in (("md", to_markdown), ("csv", to_csv), ("tex", to_latex)):
            write_text(tables / f"{split}.{suffix}", write(table))
    note = source.note
    folders = {rows[name].title: scores / name for name in settings.lineup}
    folders |= {rows[name].title: baselines / name for name in IN_GRID}
    draw_grid(cut, settings.evaluate[dataset].panel_frames, folders, note, figures / "grid")
    titles = {rows[name].title: name for name in settings.lineup}
    histories = {title: pd.read_csv(runs / name / "history.csv") for title, name in titles.items()}
    save_figure(curves(histories, READINGS, note=note), figures / "curves")
    draw_costs(of_split(rows, "test"), settings, note, figures / "quality_against_cost")


def gather(settings: Params, runs: Path, scores: Path, baselines: Path) -> dict[str, Row]:
    """Every row with the scores of all its splits: methods, trivial rows, oracles."""
    rows = {}
    for name in settings.lineup:
        cost = read_cost(scores / name / "cost.json") | read_cost(runs / name / "cost.json")
        cost.pop("training_device")  # the table has one column: where latency was measured
        label = read_label(runs / name / "translator.safetensors")
        rows[name] = Row(title_of(label), "method", read_scores(scores / name), cost)
        if needs_references(method_of(label).sees):
            rows |= with_policies(name, rows[name], scores / name / "policies")
    for name, trivial in TRIVIAL.items():
        rows[name] = Row(trivial.title, "trivial", read_scores(baselines / name))
    for name, oracle in ORACLES.items():
        rows[name] = Row(oracle.title, "oracle", read_scores(baselines / name))
    return rows


def with_policies(name: str, row: Row, folder: Path) -> dict[str, Row]:
    """The row and, below it, what the same translator paints with other references, or none."""
    below = {
        f"{name}_{policy}": Row(
            f"{row.title}, {other.title}", row.kind, read_scores(folder / policy), row.cost, NOTE
        )
        for policy, other in OTHER_POLICIES.items()
    }
    return {name: row, **below}


def of_split(rows: Mapping[str, Row], split: str) -> dict[str, Row]:
    """The same rows with the pictures of one split."""
    return {
        name: replace(row, scores=row.scores[row.scores["split"] == split])
        for name, row in rows.items()
    }


def draw_grid(crops: Crops, count: int, folders: Mapping[str, Path], note: str, stem: Path) -> None:
    """The panel frames: thermal, two trivial rows, every method, truth."""
    panel = spread(crops.split("test"), count)
    frames = [row for _, row in panel.iterrows()]
    painted = {title: list(np.load(folder / "panel.npy")) for title, folder in folders.items()}
    figure = grid(
        [np.asarray(crops.thermal(row)) for row in frames],
        painted,
        [np.asarray(crops.visible(row)) for row in frames],
        frames=[str(row["frame"]) for row in frames],
        note=note,
    )
    save_figure(figure, stem)


def draw_costs(rows: Mapping[str, Row], settings: Params, note: str, stem: Path) -> None:
    """SSIM with its interval against the median latency."""
    points = []
    for name in settings.lineup:
        row, found = rows[name], estimate(rows[name].scores, "ssim", seed=settings.seed)
        assert row.cost is not None  # methods have one
        latency = float(row.cost["latency_median_ms"] or 0)
        points.append(Point(row.title, latency, found.mean, found.low, found.high))
    device = str(next(iter(rows.values())).cost["device"])  # type: ignore[index]
    figure = quality_against_cost(
        points, cost=f"median latency, ms ({device})", quality="SSIM", note=note
    )
    save_figure(figure, stem)


def read_scores(folder: Path) -> pd.DataFrame:
    """One row a picture, as `evaluate` wrote it."""
    return pd.read_csv(folder / "scores.csv", keep_default_na=True, na_filter=True).fillna(
        {"place": "", "time": ""}
    )


def read_cost(path: Path) -> dict[str, Any]:
    """What was measured."""
    cost: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return cost


if __name__ == "__main__":
    run(main)
