"""The tables, the figures and the cards of one data set."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from thermochroma.base.errors import BadInput
from thermochroma.base.files import write_text
from thermochroma.config.comparison import Comparison
from thermochroma.config.entry import Entry
from thermochroma.contract.settings import TWENTIETHS
from thermochroma.evaluation.outputs import PANEL, read_panel
from thermochroma.evaluation.scoring import SEEN
from thermochroma.inference.predictions import spread
from thermochroma.loading.crops import Crops
from thermochroma.pipeline.model_cards import write_cards
from thermochroma.pipeline.results import (
    ResultFolders,
    Spectrum,
    about_of,
    blocks_of,
    by_spectrum,
    of_split,
    outside_of,
    read_curve,
    read_rows,
    title_in,
)
from thermochroma.pipeline.stored import SUFFIX, read_history
from thermochroma.reporting import by_sequence, paper, snapshots
from thermochroma.reporting import significance as wins
from thermochroma.reporting.figures import (
    Point,
    curves,
    grid,
    grid_pages,
    quality_against_cost,
    save_figure,
    save_grid,
)
from thermochroma.reporting.layout import COMPETING, About, Row, Table
from thermochroma.reporting.statistics import estimate
from thermochroma.reporting.table import build_table
from thermochroma.reporting.table_caption import what_is_scored
from thermochroma.reporting.table_text import to_csv, to_latex, to_markdown

SPLITS = ("test", "validation")
READINGS = {"validation/psnr": "PSNR, validation (dB)", "validation/ssim": "SSIM, validation"}
LATE_READINGS = {"psnr": "PSNR, test (dB)", "ssim_7u": "SSIM 7×7, test"}
IN_GRID = {
    "visible": ("mean_colour", "mean_image"),
    "thermal": ("mean_thermal", "visible_copied"),
}  # of the baselines; the others would crowd it


@dataclass(frozen=True)
class Job:
    """A data set's line-up with its files."""

    comparison: Comparison
    crops: Crops
    places: ResultFolders
    note: str


def compare(comparison: Comparison, *, crops: Path, places: ResultFolders, cards: Path) -> None:
    """Write the tables, figures and cards of exactly the line-up: a removed method leaves none behind."""
    job = Job(comparison, Crops(crops), places, comparison.record.note)
    for spectrum, entries in by_spectrum(comparison).items():
        tabulate(job, entries, spectrum)
        if entries:
            draw_learning(job, entries, spectrum)
    write_cards(comparison, crops=job.crops, places=places, folder=cards)


def tabulate(job: Job, entries: Sequence[Entry], spectrum: Spectrum) -> None:
    """The tables, the grids and the costs of the methods that predict one spectrum."""
    blocks = blocks_of(entries)
    outside = outside_of(job.comparison, spectrum)
    rows = read_rows(blocks, spectrum, job.places, outside)
    for split in SPLITS:
        about, some = about_of(job.comparison, split, spectrum, job.places), of_split(rows, split)
        write_tables(job, some, about)
    folders = {rows[name].title: job.places.scores / name for name in blocks}
    shown = folders | {rows[name].title: job.places.scores / name for name in outside}
    shown |= {rows[name].title: job.places.baselines / name for name in IN_GRID[spectrum]}
    draw_grids(job, shown, f"grid{SUFFIX[spectrum]}", spectrum=spectrum)
    if spectrum == "visible":
        ablated = [name for name in paper.ABLATION if name in blocks]
        if ablated:
            ablation = {title: folders[title] for title in (rows[name].title for name in ablated)}
            draw_grids(job, ablation, "figure_6", spectrum=spectrum)
    test = {name: row for name, row in of_split(rows, "test").items() if name in blocks}
    if test:
        stem = job.places.figures / f"quality_against_cost{SUFFIX[spectrum]}"
        draw_costs(test, job.comparison.seed, job.note, stem)


def write_tables(job: Job, rows: Mapping[str, Row], about: About) -> None:
    """The table of all rows, the matrix of wins, every sequence, and what the paper has by number."""
    stem, seed = f"{about.split}{SUFFIX[about.predicted]}", job.comparison.seed
    spell(build_table(rows, about, seed=seed), job.places.tables / stem)
    compared = {
        name: row.scores
        for name, row in rows.items()
        if row.kind in COMPETING or name == about.reference
    }
    facts = {"dataset": about.dataset, "split": about.split}
    if len(compared) > 1:
        titles = {name: row.title for name, row in rows.items()}
        named = what_is_scored(about, rows[about.reference].scores)
        scored = [wins.compare_pairs(compared, score, seed=seed) for score in wins.COMPARED]
        place = job.places.tables / f"{about.split}_wins{SUFFIX[about.predicted]}"
        write_text(place.with_suffix(".md"), wins.to_markdown(scored, titles, about=named))
        write_text(place.with_suffix(".csv"), wins.to_csv(scored, **facts))
    place = job.places.tables / f"{about.split}_sequences{SUFFIX[about.predicted]}.csv"
    write_text(place, by_sequence.to_csv(rows, **facts))
    if about.split == "test" and about.predicted == "visible":
        number = paper.METHODS_TABLE.get(about.dataset, 1)
        spell(paper.methods_table(rows, about, seed=seed), job.places.tables / f"table_{number}")
        if any(name in rows for name in paper.ABLATION):
            spell(paper.ablation_table(rows, about, seed=seed), job.places.tables / "table_3")


def spell(table: Table, stem: Path) -> None:
    """Write a table in its three spellings."""
    for kind, write in (("md", to_markdown), ("csv", to_csv), ("tex", to_latex)):
        write_text(stem.with_name(f"{stem.name}.{kind}"), write(table))


def draw_learning(job: Job, entries: Sequence[Entry], spectrum: Spectrum) -> None:
    """The readings while training, against images shown, and Figure 4 of the paper.

    Each direction by itself: a score of thermal images says nothing beside one of visible ones.
    """
    titles = {entry.name: title_of_run(job, entry) for entry in entries}
    histories = {title: read_history(job.places.runs / name) for name, title in titles.items()}
    save_figure(
        curves(histories, READINGS, note=job.note), job.places.figures / f"curves{SUFFIX[spectrum]}"
    )
    if spectrum == "visible":
        last = {
            title: snapshots.means(read_curve(job.places.scores / name))
            for name, title in titles.items()
        }
        lengths = {entry.budget.epochs for entry in entries}
        # an epoch of the paper is a twentieth of its training
        draw_figure_4(job, last, against="epochs" if lengths == {TWENTIETHS} else "twentieths")


def draw_figure_4(job: Job, last: Mapping[str, pd.DataFrame], *, against: str) -> None:
    """SSIM and PSNR on the test images after the last twentieths of each training, as a table too."""
    named = {title: one.rename(columns={"twentieths": against}) for title, one in last.items()}
    said = "protocol `paper`: on the test set, of snapshots, for looking and not for choosing"
    figure = curves(named, LATE_READINGS, against=against, note=joined(job.note, said))
    save_figure(figure, job.places.figures / "figure_4")
    text = snapshots.to_csv(last, dataset=job.comparison.dataset)
    write_text(job.places.tables / "figure_4.csv", text)


def title_of_run(job: Job, entry: Entry) -> str:
    """Title of a run's block, with its seed if it repeats it."""
    title = title_in(job.places.runs / entry.name)
    return f"{title}, seed {entry.seed}" if entry.is_repeat else title


def joined(*notes: str) -> str:
    """Notes of a figure on one line; empty ones are left out."""
    return "; ".join(note for note in notes if note)


def draw_grids(job: Job, folders: Mapping[str, Path], name: str, *, spectrum: Spectrum) -> None:
    """The panel frames: what is seen, each folder's images by its title, truth.

    One file, or one for each page, numbered from 1.
    """
    panel = spread(job.crops.split("test"), job.comparison.evaluate.panel_frames)
    frames = [row for _, row in panel.iterrows()]
    seen, truths = (
        [np.asarray(job.crops.image(one, row)) for row in frames]
        for one in (SEEN[spectrum], spectrum)
    )
    predicted = {title: fitting_panel(folder, truths) for title, folder in folders.items()}
    pages = grid_pages(predicted)
    for page, some in enumerate(pages, 1):
        figure = grid(
            SEEN[spectrum].capitalize(),
            seen,
            some,
            truths,
            frames=[str(row["frame"]) for row in frames],
            note=job.note,
        )
        stem = name if len(pages) == 1 else f"{name}_{page}"
        save_grid(figure, job.places.figures / f"{stem}.png")


def fitting_panel(folder: Path, truths: Sequence[np.ndarray]) -> list[np.ndarray]:
    """Read the predictions of the panel frames. Raises BadInput if they do not fit today's crops."""
    images = read_panel(folder)
    shape, needed = images.shape[:3], (len(truths), *truths[0].shape[:2])
    if shape != needed:
        raise BadInput(
            given=f"{folder / PANEL} holds {shape[0]} images of {shape[1]}x{shape[2]} pixels",
            needed=f"{needed[0]} of {needed[1]}x{needed[2]}, as the crops are",
            remedy="run `dvc repro`: it predicts the panel again from the present crops",
        )
    return list(images)


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
