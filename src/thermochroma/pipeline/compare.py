"""The tables and the figures of one data set."""

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd

from thermochroma.base.errors import BadInput
from thermochroma.base.files import whole_file, write_text
from thermochroma.baselines.catalogue import BASELINES, truth_name
from thermochroma.config.params import Params, read_params
from thermochroma.contract.dataset import load_source
from thermochroma.contract.settings import TWENTIETHS
from thermochroma.evaluation.scoring import SEEN
from thermochroma.inference.predictions import spread
from thermochroma.loading.crops import Crops
from thermochroma.pipeline.results import (
    ResultFolders,
    direction_of,
    flicker_of,
    of_split,
    read_curve,
    read_rows,
    title_in,
    videoless,
)
from thermochroma.reporting import by_sequence, paper, snapshots
from thermochroma.reporting import significance as wins
from thermochroma.reporting.figures import Point, curves, grid, quality_against_cost, save_figure
from thermochroma.reporting.layout import About, Row, Table
from thermochroma.reporting.statistics import estimate
from thermochroma.reporting.table import build_table
from thermochroma.reporting.table_caption import what_is_scored
from thermochroma.reporting.table_text import to_csv, to_latex, to_markdown

Spectrum = Literal["visible", "thermal"]
SPLITS = ("test", "validation")
READINGS = {"validation/psnr": "PSNR, validation (dB)", "validation/ssim": "SSIM, validation"}
LATE_READINGS = {"psnr": "PSNR, test (dB)", "ssim_7u": "SSIM 7×7, test"}
IN_GRID = {
    "visible": ("mean_colour", "mean_image"),
    "thermal": ("mean_thermal", "visible_copied"),
}  # of the baselines; the others would crowd it
SUFFIX = {"visible": "", "thermal": "_visible_to_thermal"}  # of the files of each direction


@dataclass(frozen=True)
class Job:
    """One data set with all that is known of it."""

    dataset: str
    settings: Params
    crops: Crops
    places: ResultFolders
    note: str


def compare(
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
    settings, places = read_params(params), ResultFolders(runs, scores, baselines, tables, figures)
    job = Job(dataset, settings, Crops(crops), places, load_source(dataset).note)
    predicted = {
        name: direction_of(settings, name).predicted for name in settings.trained_on(dataset)
    }
    spectra: list[Spectrum] = ["visible"]  # a table always, even of baselines
    if "thermal" in predicted.values():
        spectra.append("thermal")
    for spectrum in spectra:
        names = [name for name, predicts in predicted.items() if predicts == spectrum]
        tabulate(job, names, spectrum)
        if names:
            draw_learning(job, names, spectrum)


def tabulate(job: Job, names: Sequence[str], spectrum: Spectrum) -> None:
    """The tables, the grids and the costs of the methods that predict one spectrum."""
    blocks = {
        block: [name for name in names if job.settings.block_of(name) == block]
        for block in dict.fromkeys(map(job.settings.block_of, names))
    }
    rows = read_rows(blocks, spectrum, job.places)
    for split in SPLITS:
        about, some = about_of(job, split, spectrum), of_split(rows, split)
        write_tables(job, some, about)
    folders = {rows[name].title: job.places.scores / name for name in blocks}
    shown = folders | {rows[name].title: job.places.baselines / name for name in IN_GRID[spectrum]}
    saved = draw_grid(job, shown, f"grid{SUFFIX[spectrum]}", spectrum=spectrum)
    if spectrum == "visible":
        for path in saved:  # the same image under the number that it has in the paper
            copy = path.with_stem(f"figure_{paper.GRID_FIGURE.get(job.dataset, 3)}")
            with whole_file(copy) as part:
                shutil.copyfile(path, part)
        entries = [name for name in paper.ABLATION if name in blocks]
        if entries:
            ablation = {title: folders[title] for title in (rows[name].title for name in entries)}
            draw_grid(job, ablation, "figure_6", spectrum=spectrum)
    test = {name: row for name, row in of_split(rows, "test").items() if name in blocks}
    if test:
        stem = job.places.figures / f"quality_against_cost{SUFFIX[spectrum]}"
        draw_costs(test, job.settings.seed, job.note, stem)


def about_of(job: Job, split: str, spectrum: Spectrum) -> About:
    """What is said beside the numbers of one split and direction."""
    source = load_source(job.dataset)
    return About(
        dataset=job.dataset,
        title=f"{source.title}, {SEEN[spectrum]} to {spectrum}",
        note=source.note,
        split=split,
        size=job.settings.crop[job.dataset].size,
        weights=job.settings.weights,
        reference=BASELINES[spectrum].reference,
        predicted=spectrum,
        true_flicker=flicker_of(job.places.baselines / truth_name(spectrum)),
        needs_video=videoless(job.settings, job.dataset, spectrum),
    )


def write_tables(job: Job, rows: Mapping[str, Row], about: About) -> None:
    """The table of all rows, the matrix of wins, every sequence, and what the paper has by number."""
    stem, seed = f"{about.split}{SUFFIX[about.predicted]}", job.settings.seed
    spell(build_table(rows, about, seed=seed), job.places.tables / stem)
    compared = {
        name: row.scores
        for name, row in rows.items()
        if row.kind == "method" or name == about.reference
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


def draw_learning(job: Job, names: Sequence[str], spectrum: Spectrum) -> None:
    """The readings while training, against images shown, and Figure 4 of the paper.

    Each direction by itself: a score of thermal images says nothing beside one of visible ones.
    """
    titles = {name: title_of_run(job, name) for name in names}
    histories = {
        title: pd.read_csv(job.places.runs / name / "history.csv") for name, title in titles.items()
    }
    save_figure(
        curves(histories, READINGS, note=job.note), job.places.figures / f"curves{SUFFIX[spectrum]}"
    )
    if spectrum == "visible":
        last = {
            title: snapshots.means(read_curve(job.places.scores / name))
            for name, title in titles.items()
        }
        lengths = {job.settings.budget_of(job.dataset, name).epochs for name in names}
        # an epoch of the paper is a twentieth of its training
        draw_figure_4(job, last, against="epochs" if lengths == {TWENTIETHS} else "twentieths")


def draw_figure_4(job: Job, last: Mapping[str, pd.DataFrame], *, against: str) -> None:
    """SSIM and PSNR on the test images after the last twentieths of each training, as a table too."""
    named = {title: one.rename(columns={"twentieths": against}) for title, one in last.items()}
    said = "protocol `paper`: on the test set, of snapshots, for looking and not for choosing"
    figure = curves(named, LATE_READINGS, against=against, note=joined(job.note, said))
    save_figure(figure, job.places.figures / "figure_4")
    text = snapshots.to_csv(last, dataset=job.dataset)
    write_text(job.places.tables / "figure_4.csv", text)


def title_of_run(job: Job, name: str) -> str:
    """The title of a run's block, with its seed if it repeats it."""
    title = title_in(job.places.runs / name)
    repeats = job.settings.block_of(name) != name
    return f"{title}, seed {job.settings.seed_of(name)}" if repeats else title


def joined(*notes: str) -> str:
    """Notes of a figure on one line; empty ones are left out."""
    return "; ".join(note for note in notes if note)


def draw_grid(
    job: Job, folders: Mapping[str, Path], name: str, *, spectrum: Spectrum
) -> tuple[Path, Path]:
    """The panel frames: what is seen, each folder's images by its title, truth."""
    panel = spread(job.crops.split("test"), job.settings.evaluate[job.dataset].panel_frames)
    frames = [row for _, row in panel.iterrows()]
    seen, truths = (
        [np.asarray(job.crops.image(one, row)) for row in frames]
        for one in (SEEN[spectrum], spectrum)
    )
    predicted = {title: read_panel(folder, truths) for title, folder in folders.items()}
    figure = grid(
        SEEN[spectrum].capitalize(),
        seen,
        predicted,
        truths,
        frames=[str(row["frame"]) for row in frames],
        note=job.note,
    )
    return save_figure(figure, job.places.figures / name)


def read_panel(folder: Path, truths: Sequence[np.ndarray]) -> list[np.ndarray]:
    """What was predicted of the panel frames. Raises BadInput if they are not the images of today."""
    images = np.load(folder / "panel.npy")
    shape, needed = images.shape[:3], (len(truths), *truths[0].shape[:2])
    if shape != needed:
        raise BadInput(
            given=f"{folder / 'panel.npy'} holds {shape[0]} images of {shape[1]}x{shape[2]} pixels",
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
