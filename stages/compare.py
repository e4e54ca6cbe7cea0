"""The table and the figures of one data set."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from stages.command import run
from thermochroma.files import write_text
from thermochroma.judging import SEEN, spread
from thermochroma.label import read_label
from thermochroma.loading.assemble import needs_references
from thermochroma.loading.crops import Crops
from thermochroma.loading.references import NOTE, OTHER_POLICIES
from thermochroma.method import Direction, load_method
from thermochroma.metrics.baselines import BASELINES, truth_name
from thermochroma.params import Params, read_params
from thermochroma.reporting.figures import Point, curves, grid, quality_against_cost, save_figure
from thermochroma.reporting.statistics import estimate
from thermochroma.reporting.table import About, Kind, Row, build_table
from thermochroma.reporting.table_text import to_csv, to_latex, to_markdown
from thermochroma.shipping import method_of, title_of
from thermochroma.source import load_source

SPLITS = ("test", "validation")
READINGS = {"validation/psnr": "PSNR, validation (dB)", "validation/ssim": "SSIM, validation"}
IN_GRID = {
    "visible": ("mean_colour", "mean_picture"),
    "thermal": ("mean_thermal", "visible_copied"),
}  # of the baselines; the others would crowd it
SUFFIX = {"visible": "", "thermal": "_visible_to_thermal"}  # of the files of each direction


@dataclass(frozen=True)
class Places:
    """The folders of one data set."""

    runs: Path
    scores: Path
    baselines: Path
    tables: Path
    figures: Path


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
    settings, cut = read_params(params), Crops(crops)
    places = Places(runs, scores, baselines, tables, figures)
    names = settings.trained_on(dataset)
    painted = {name: direction_of(settings, name).painted for name in names}
    for spectrum in dict.fromkeys(
        ("visible", *painted.values())
    ):  # a table always, even of baselines
        chosen = [name for name in names if painted[name] == spectrum]
        tabulate(dataset, settings, cut, chosen, spectrum, places)
    histories = {title_in(runs / name): pd.read_csv(runs / name / "history.csv") for name in names}
    note = load_source(dataset).note
    save_figure(curves(histories, READINGS, note=note), figures / "curves")


def tabulate(
    dataset: str,
    settings: Params,
    cut: Crops,
    names: Sequence[str],
    spectrum: str,
    places: Places,
) -> None:
    """The table, the grid and the costs of the methods that paint one spectrum."""
    source, suffix = load_source(dataset), SUFFIX[spectrum]
    rows = gather(names, spectrum, places)
    for split in SPLITS:
        about = About(
            dataset=dataset,
            title=f"{source.title}, {SEEN[spectrum]} to {spectrum}",
            note=source.note,
            split=split,
            size=settings.crop[dataset].size,
            weights=settings.weights,
            reference=BASELINES[spectrum].reference,
            true_flicker=flicker_of(places.baselines / truth_name(spectrum)),
            needs_video=videoless(settings, dataset, spectrum),
        )
        table = build_table(of_split(rows, split), about, seed=settings.seed)
        for kind, write in (("md", to_markdown), ("csv", to_csv), ("tex", to_latex)):
            write_text(places.tables / f"{split}{suffix}.{kind}", write(table))
    folders = {rows[name].title: places.scores / name for name in names}
    folders |= {rows[name].title: places.baselines / name for name in IN_GRID[spectrum]}
    count, stem = settings.evaluate[dataset].panel_frames, places.figures / f"grid{suffix}"
    draw_grid(cut, count, folders, source.note, stem, spectrum=spectrum)
    test = {name: row for name, row in of_split(rows, "test").items() if name in names}
    if test:
        stem = places.figures / f"quality_against_cost{suffix}"
        draw_costs(test, settings.seed, source.note, stem)


def direction_of(settings: Params, name: str) -> Direction:
    """From which spectrum to which a line-up entry paints."""
    return load_method(settings.method(name).method).direction


def videoless(settings: Params, dataset: str, spectrum: str) -> dict[str, str]:
    """The titles of the entries of the video line-up that this data set cannot teach."""
    if dataset in settings.video_datasets:
        return {}
    entries = {name: settings.method(name) for name in settings.video_lineup}
    return {
        name: block.title or load_method(block.method).title
        for name, block in entries.items()
        if direction_of(settings, name).painted == spectrum
    }


def gather(names: Sequence[str], spectrum: str, places: Places) -> dict[str, Row]:
    """Every row with the scores of all its splits: methods, trivial rows, oracles."""
    rows = {}
    for name in names:
        scores, runs = places.scores / name, places.runs / name
        cost = read_cost(scores / "cost.json") | read_cost(runs / "cost.json")
        cost.pop("training_device")  # the table has one column: where latency was measured
        label, flicker = read_label(runs / "translator.safetensors"), flicker_of(scores)
        rows[name] = Row(title_of(label), "method", read_scores(scores), cost, flicker=flicker)
        if needs_references(method_of(label).sees):
            rows |= with_policies(name, rows[name], scores / "policies")
    known = BASELINES[spectrum]
    titles = {name: one.title for name, one in known.trivial.items()}
    titles |= {name: one.title for name, one in known.oracles.items()}
    for name, title in titles.items():
        folder = places.baselines / name
        kind: Kind = "trivial" if name in known.trivial else "oracle"
        rows[name] = Row(title, kind, read_scores(folder), flicker=flicker_of(folder))
    return rows


def title_in(folder: Path) -> str:
    """How tables call what was trained there."""
    return title_of(read_label(folder / "translator.safetensors"))


def flicker_of(folder: Path) -> float | None:
    """The mean over the test pairs; None where the data set has no video."""
    found = pd.read_csv(folder / "flicker.csv")["flicker"].dropna()
    return float(found.mean()) if len(found) else None


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


def draw_grid(
    crops: Crops,
    count: int,
    folders: Mapping[str, Path],
    note: str,
    stem: Path,
    *,
    spectrum: str,
) -> None:
    """The panel frames: what is seen, every method, two trivial rows, truth."""
    panel = spread(crops.split("test"), count)
    frames = [row for _, row in panel.iterrows()]
    painted = {title: list(np.load(folder / "panel.npy")) for title, folder in folders.items()}
    seen = SEEN[spectrum]
    figure = grid(
        seen.capitalize(),
        [np.asarray(crops.picture(seen, row)) for row in frames],
        painted,
        [np.asarray(crops.picture(spectrum, row)) for row in frames],
        frames=[str(row["frame"]) for row in frames],
        note=note,
    )
    save_figure(figure, stem)


def draw_costs(rows: Mapping[str, Row], seed: int, note: str, stem: Path) -> None:
    """SSIM of methods with its interval against the median latency."""
    points = []
    for row in rows.values():
        found = estimate(row.scores, "ssim", seed=seed)
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
