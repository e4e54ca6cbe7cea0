"""Rows of the tables, read from the files of earlier stages: one data set, one direction, all splits."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal, TypeAlias

import pandas as pd

from thermochroma.base.errors import BadInput
from thermochroma.base.manifest import FACTS
from thermochroma.base.sealed import read_json
from thermochroma.base.tables import read_csv
from thermochroma.baselines.catalogue import BASELINES, truth_name
from thermochroma.config.comparison import Comparison
from thermochroma.config.entry import Entry
from thermochroma.contract.dataset import load_dataset
from thermochroma.contract.method import Direction, load_method
from thermochroma.evaluation.gallery import FILE
from thermochroma.evaluation.policies import policies_of
from thermochroma.evaluation.scoring import SEEN
from thermochroma.evaluation.snapshots import CURVE, IMAGES, TAKEN
from thermochroma.evaluation.summary import mean_of_distances, mean_of_draws
from thermochroma.export.artifact import title_of
from thermochroma.export.metadata import read_metadata
from thermochroma.loading.policies import OtherPolicy
from thermochroma.reporting.layout import About, Kind, Row
from thermochroma.reporting.table_caption import RUNS

TRANSLATOR = "translator.safetensors"
AS_TEXT = {"place": str, "time": str}
ALWAYS = ("ssim", "psnr", "mse")
"""Scores that every image has."""
AGAIN = "remove it and run `dvc repro`: it evaluates again whatever has no whole scores"


@dataclass(frozen=True)
class ResultFolders:
    """The folders of one data set."""

    runs: Path
    scores: Path
    baselines: Path
    tables: Path
    figures: Path


Spectrum: TypeAlias = Literal["visible", "thermal"]


def direction_of(entry: Entry) -> Direction:
    """Return from which spectrum to which an entry translates."""
    return load_method(entry.settings.method).direction


def by_spectrum(comparison: Comparison) -> dict[Spectrum, list[Entry]]:
    """Group the line-up by the spectrum that is predicted: visible first, even if nothing predicts it."""
    spectra: tuple[Spectrum, ...] = ("visible", "thermal")
    groups = {
        spectrum: [one for one in comparison.entries if direction_of(one).predicted == spectrum]
        for spectrum in spectra
    }
    return {name: group for name, group in groups.items() if group or name == "visible"}


def blocks_of(entries: Iterable[Entry]) -> dict[str, list[str]]:
    """Group the names of entries by the block that they share; the first of each is the block's own."""
    blocks: dict[str, list[str]] = {}
    for entry in entries:
        blocks.setdefault(entry.block, []).append(entry.name)
    return blocks


def needs_video(comparison: Comparison, spectrum: str) -> dict[str, str]:
    """Titles of the entries that need consecutive frames, which this data set does not have."""
    return {
        entry.name: entry.settings.title or load_method(entry.settings.method).title
        for entry in comparison.elsewhere
        if not entry.is_repeat and direction_of(entry).predicted == spectrum
    }


def about_of(
    comparison: Comparison, split: str, spectrum: Spectrum, places: ResultFolders
) -> About:
    """Facts beside the numbers of one split and direction."""
    record = load_dataset(comparison.dataset)
    return About(
        dataset=comparison.dataset,
        title=f"{record.title}, {SEEN[spectrum]} to {spectrum}",
        note=record.note,
        split=split,
        size=comparison.side,
        weights=comparison.weights,
        reference=BASELINES[spectrum].reference,
        predicted=spectrum,
        true_flicker=flicker_of(places.baselines / truth_name(spectrum)),
        needs_video=needs_video(comparison, spectrum),
    )


def read_rows(
    blocks: Mapping[str, Sequence[str]], spectrum: str, places: ResultFolders
) -> dict[str, Row]:
    """Every row with the scores of all its splits: methods, trivial rows, oracles.

    blocks: the runs of each block, the first named as the block. Raises BadInput for scores that are
    missing or broken.
    """
    rows: dict[str, Row] = {}
    for name, names in blocks.items():
        rows[name] = row_of(name, names, places)
        folders = [places.scores / one / "policies" for one in names]
        rows |= with_policies(name, rows[name], folders, policies_below(name, places))
    known = BASELINES[spectrum]
    titles = {name: one.title for name, one in known.trivial.items()}
    titles |= {name: one.title for name, one in known.oracles.items()}
    for name, title in titles.items():
        folder = places.baselines / name
        kind: Kind = "trivial" if name in known.trivial else "oracle"
        distances, flicker = read_distances(folder), flicker_of(folder)
        rows[name] = Row(title, kind, read_scores(folder), flicker=flicker, distances=distances)
    return rows


def row_of(name: str, names: Sequence[str], places: ResultFolders) -> Row:
    """The row of one block: its only run, or the mean over its runs."""
    each = [read_scores(places.scores / one) for one in names]
    scores, runs = places.scores / name, places.runs / name
    cost = read_cost(scores / "cost.json") | read_cost(runs / "cost.json")
    cost.pop("training_device")  # the table has one column: where latency was measured
    flickers = [one for name in names if (one := flicker_of(places.scores / name)) is not None]
    distances = mean_of_distances([read_distances(places.scores / one) for one in names])
    curves = tuple(read_curve(places.scores / one) for one in names)
    row = Row(title_in(runs), "method", each[0], cost, distances=distances, snapshots=curves)
    if flickers:
        row = replace(row, flicker=sum(flickers) / len(flickers))
    if len(each) == 1:
        return row
    return replace(row, scores=mean_of_runs(name, each), runs=tuple(each), note=RUNS)


def mean_of_runs(name: str, each: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """Each score the mean over runs, image by image. Raises BadInput for other images."""
    frames = each[0]["frame"].tolist()
    for one in each[1:]:
        if one["frame"].tolist() != frames:
            raise BadInput(
                given=f"the runs of `{name}` were scored on different images",
                needed="the same images in the same order",
                remedy="run `dvc repro`, so that every run is evaluated on the present crops",
            )
    return mean_of_draws(each)


def policies_below(name: str, places: ResultFolders) -> Mapping[str, OtherPolicy]:
    """Policies under which the translator of a block was scored as well: rows below its own."""
    return policies_of(read_metadata(places.runs / name / TRANSLATOR))


def galleries(blocks: Iterable[str], spectrum: str, places: ResultFolders) -> dict[str, Path]:
    """Paths of each row's images: of a block's first run, of a policy's first draw."""
    found = {}
    for name in blocks:
        found[name] = places.scores / name / FILE
        for policy in policies_below(name, places):
            found[f"{name}_{policy}"] = places.scores / name / "policies" / policy / FILE
    return found | {name: places.baselines / name / FILE for name in BASELINES[spectrum].names}


def with_policies(
    name: str, row: Row, folders: Sequence[Path], policies: Mapping[str, OtherPolicy]
) -> dict[str, Row]:
    """The row and, below it, what the same translators predict when they are shown something else."""
    below = {
        f"{name}_{policy}": Row(
            f"{row.title}, {other.title}",
            row.kind,
            mean_of_runs(name, [read_scores(folder / policy) for folder in folders]),
            row.cost,
            other.note,
            distances=mean_of_distances([read_distances(one / policy) for one in folders]),
        )
        for policy, other in policies.items()
    }
    return {name: row, **below}


def title_in(folder: Path) -> str:
    """Title that tables give to the translator in a folder of runs."""
    return title_of(read_metadata(folder / TRANSLATOR))


def flicker_of(folder: Path) -> float | None:
    """The mean over the test pairs; None where the data set has no video."""
    path = folder / "flicker.csv"
    found = read_csv(path, needed="one line a pair of test frames", remedy=AGAIN)[
        "flicker"
    ].dropna()
    return float(found.mean()) if len(found) else None


def of_split(rows: Mapping[str, Row], split: str) -> dict[str, Row]:
    """Reduce rows to the images of one split."""

    def some(scores: pd.DataFrame) -> pd.DataFrame:
        return scores[scores["split"] == split]

    return {
        name: replace(
            row,
            scores=some(row.scores),
            runs=tuple(map(some, row.runs)),
            snapshots=tuple(found for one in row.snapshots if len(found := some(one))),
        )
        for name, row in rows.items()
    }


def read_scores(folder: Path) -> pd.DataFrame:
    """One row an image, as `evaluate` wrote it.

    Raises BadInput if there is none, or if an image lacks a score that every image has.
    """
    path = folder / "scores.csv"
    needed = f"one line an image, with {', '.join([*FACTS, *ALWAYS])}"
    scores = read_csv(path, needed=needed, remedy=AGAIN, dtype=AS_TEXT)
    missing = [name for name in (*FACTS, *ALWAYS) if name not in scores]
    if missing or scores.empty:
        given = f"{path} has no {', '.join(missing)}" if missing else f"{path} has no image"
        raise BadInput(given=given, needed=needed, remedy=AGAIN)
    broken = scores[scores[list(ALWAYS)].isna().any(axis=1)]
    if len(broken):
        given = f"{path} lacks a score of {len(broken)} images, the first {broken.iloc[0]['frame']}"
        raise BadInput(given=given, needed=needed, remedy=AGAIN)
    return scores.fillna({"place": "", "time": ""})


def read_curve(folder: Path) -> pd.DataFrame:
    """The scores of the snapshots of one run, as `evaluate` wrote them.

    Raises BadInput if there are none, or if they lack a column.
    """
    path, columns = folder / CURVE, [*FACTS, *TAKEN, IMAGES]
    needed = f"one line a test image and snapshot, with {', '.join(columns)}"
    curve = read_csv(path, needed=needed, remedy=AGAIN, dtype=AS_TEXT)
    if missing := [name for name in columns if name not in curve]:
        given = f"{path} has no {', '.join(missing)}"
        raise BadInput(given=given, needed=needed, remedy=AGAIN)
    return curve[columns].fillna({"place": "", "time": ""})


def read_history(folder: Path) -> pd.DataFrame:
    """The readings of one training, as `train` wrote them. Raises BadInput if they were cut or changed."""
    return read_csv(folder / "history.csv", needed="one line a reading")


def read_distances(folder: Path) -> dict[str, dict[str, float]]:
    """FID and KID by split, as `evaluate` wrote them; empty with stand-ins.

    Raises BadInput if the file is missing, cut or changed.
    """
    needed = "FID and KID by split, or nothing where they were not taken"
    return read_json(folder / "distances.json", needed=needed, remedy=AGAIN)


def read_cost(path: Path) -> dict[str, Any]:
    """Read the measured cost. Raises BadInput if the file is missing, cut or changed."""
    return read_json(path, needed="the measured cost")
