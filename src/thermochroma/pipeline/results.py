"""Rows of the tables, read from the files of earlier stages: one data set, one direction, all splits."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import Any, Literal, TypeAlias

import pandas as pd

from thermochroma.base.cells import counted
from thermochroma.base.errors import BadInput
from thermochroma.base.manifest import FACTS
from thermochroma.base.reading import reading
from thermochroma.baselines.catalogue import BASELINES, truth_name
from thermochroma.config.comparison import Comparison
from thermochroma.config.entry import Entry
from thermochroma.config.outside import OutsideEntry
from thermochroma.contract.method import Direction, load_method
from thermochroma.evaluation.gallery import FILE
from thermochroma.evaluation.policies import policies_of
from thermochroma.evaluation.scoring import SEEN
from thermochroma.evaluation.snapshots import CURVE, IMAGES, TAKEN
from thermochroma.evaluation.summary import mean_of_distances, mean_of_draws
from thermochroma.export.artifact import deviation_of, title_of
from thermochroma.export.metadata import read_metadata
from thermochroma.loading.policies import OTHER_SHARPNESS, OtherPolicy
from thermochroma.pipeline.stored import means_in, read_mapping, read_numbers
from thermochroma.reporting.layout import COST, About, Kind, Row
from thermochroma.reporting.table_caption import RUNS

TRANSLATOR = "translator.safetensors"
SCORED_AGAIN = "remove it and run `dvc repro`: it evaluates again whatever has no whole scores"
ALWAYS = ("ssim", "psnr", "mse")
"""Scores that every image has."""


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
    """Group the line-up by the spectrum that is predicted: visible first, even if nothing predicts it.

    A spectrum that is predicted by rows from outside alone has an empty group.
    """
    spectra: tuple[Spectrum, ...] = ("visible", "thermal")
    groups = {
        spectrum: [one for one in comparison.entries if direction_of(one).predicted == spectrum]
        for spectrum in spectra
    }
    return {
        name: group
        for name, group in groups.items()
        if group or name == "visible" or outside_of(comparison, name)
    }


def outside_of(comparison: Comparison, spectrum: str) -> dict[str, OutsideEntry]:
    """Select the rows from outside that predict one spectrum."""
    return {name: one for name, one in comparison.outside.items() if one.predicts == spectrum}


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


def frozen_of(comparison: Comparison, runs: Path) -> str:
    """Say where the weights of the frozen networks of the line-up's trainings came from."""
    files = (runs / entry.name / "translator.safetensors" for entry in comparison.entries)
    found = dict.fromkeys(read_metadata(path).frozen for path in files)
    return "; in other rows: ".join(found) or "nothing was trained"


def about_of(
    comparison: Comparison, split: str, spectrum: Spectrum, places: ResultFolders
) -> About:
    """Facts beside the numbers of one split and direction."""
    record = comparison.record
    return About(
        dataset=comparison.dataset,
        title=f"{record.title}, {SEEN[spectrum]} to {spectrum}",
        note=record.note,
        split=split,
        size=comparison.side,
        frozen=frozen_of(comparison, places.runs),
        reference=BASELINES[spectrum].reference,
        predicted=spectrum,
        true_flicker=flicker_of(places.baselines / truth_name(spectrum)),
        needs_video=needs_video(comparison, spectrum),
    )


def read_rows(
    blocks: Mapping[str, Sequence[str]],
    spectrum: str,
    places: ResultFolders,
    outside: Mapping[str, OutsideEntry],
) -> dict[str, Row]:
    """Every row with the scores of all its splits: methods, rows from outside, trivial rows, oracles.

    blocks: the runs of each block, the first named as the block. outside: those that predict this
    spectrum. Raises BadInput for scores that are missing or broken, and for two rows of one name.
    """
    rows: dict[str, Row] = {}
    for name, names in blocks.items():
        rows[name] = row_of(name, names, places)
        folders = [places.scores / one / "policies" for one in names]
        rows |= with_policies(name, rows[name], folders, policies_below(name, places))
    known = BASELINES[spectrum]
    for name, entry in outside.items():
        refuse_taken(name, [*rows, *known.names])
        rows[name] = outside_row(entry, places.scores / name)
    return rows | baseline_rows(spectrum, places.baselines)


def refuse_taken(name: str, names: Iterable[str]) -> None:
    """Raise BadInput if a row from outside has the name of another one."""
    if name in names:
        raise BadInput(
            given=f"`entries.{name}` has the name of another row of the table",
            needed="a name of its own for every row",
            remedy="rename the entry",
        )


def outside_row(entry: OutsideEntry, folder: Path) -> Row:
    """The row of predictions from outside, with the cost that is claimed for them."""
    cost = None if entry.cost is None else entry.cost.model_dump(exclude_none=True)
    scores = read_scores(folder)
    distances, flicker = read_distances(folder), flicker_of(folder)
    return Row(entry.title, "entry", scores, cost, flicker=flicker, distances=distances)


def baseline_rows(spectrum: str, baselines: Path) -> dict[str, Row]:
    """The linear probe, trivial rows and oracles of one direction. baselines: folder of one data set."""
    known, rows = BASELINES[spectrum], {}
    titles = {name: one.title for name, one in known.trivial.items()}
    titles |= {name: one.title for name, one in known.probes.items()}
    titles |= {name: one.title for name, one in known.oracles.items()}
    kinds: dict[str, Kind] = dict.fromkeys(known.trivial, "trivial")
    kinds |= dict.fromkeys(known.probes, "probe")
    for name, title in titles.items():
        folder, kind = baselines / name, kinds.get(name, "oracle")
        distances, flicker = read_distances(folder), flicker_of(folder)
        rows[name] = Row(title, kind, read_scores(folder), flicker=flicker, distances=distances)
    return rows


def row_of(name: str, names: Sequence[str], places: ResultFolders) -> Row:
    """The row of one block: its only run, or the mean over its runs."""
    each = [read_scores(places.scores / one) for one in names]
    scores, runs = places.scores / name, places.runs / name
    cost = read_cost(scores / "cost.json") | read_cost(runs / "cost.json")
    refuse_gaps(cost, [scores / "cost.json", runs / "cost.json"])
    cost.pop("training_device")  # the table has one column: where latency was measured
    flickers = [one for name in names if (one := flicker_of(places.scores / name)) is not None]
    distances = mean_of_distances([read_distances(places.scores / one) for one in names])
    curves = tuple(read_curve(places.scores / one) for one in names)
    metadata = read_metadata(runs / TRANSLATOR)
    row = Row(
        title_of(metadata),
        "method",
        each[0],
        cost,
        deviation=deviation_of(metadata),
        distances=distances,
        snapshots=curves,
    )
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


def galleries(
    blocks: Iterable[str], spectrum: str, places: ResultFolders, outside: Iterable[str]
) -> dict[str, Path]:
    """Paths of each row's images: of a block's first run, of a policy's first draw, from outside."""
    found = {}
    for name in blocks:
        found[name] = places.scores / name / FILE
        for policy in policies_below(name, places):
            found[f"{name}_{policy}"] = places.scores / name / "policies" / policy / FILE
    found |= {name: places.scores / name / FILE for name in outside}
    return found | {name: places.baselines / name / FILE for name in BASELINES[spectrum].names}


def with_policies(
    name: str, row: Row, folders: Sequence[Path], policies: Mapping[str, OtherPolicy]
) -> dict[str, Row]:
    """The row and, below it, what the same translators predict when they are shown something else."""
    duller = {f"{name}_{one}": f"{name}_{less}" for less, one in pairwise(OTHER_SHARPNESS)}
    duller[f"{name}_{next(iter(OTHER_SHARPNESS))}"] = name
    below = {
        f"{name}_{policy}": Row(
            f"{row.title}, {other.title}",
            row.kind,
            mean_of_runs(name, [read_scores(folder / policy) for folder in folders]),
            row.cost,
            other.note,
            sharper_than=duller.get(f"{name}_{policy}", ""),
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
    found = read_numbers(
        path, needed="the flicker of each pair of frames", columns=["flicker"], texts=FACTS
    )["flicker"].dropna()
    return float(found.mean()) if len(found) else None


def of_split(rows: Mapping[str, Row], split: str) -> dict[str, Row]:
    """Reduce rows to the images of one split; rows from outside without any are left out."""

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
        if row.kind != "entry" or len(some(row.scores))
    }


def read_scores(folder: Path) -> pd.DataFrame:
    """One row an image, as `evaluate` wrote it.

    Raises BadInput if there is none, or if an image lacks a score that every image has.
    """
    path = folder / "scores.csv"
    remedy = SCORED_AGAIN
    needed = f"one line an image, with {', '.join([*FACTS, *ALWAYS])}"
    scores = read_numbers(path, needed=needed, texts=FACTS, remedy=remedy)
    missing = [name for name in (*FACTS, *ALWAYS) if name not in scores]
    if missing or scores.empty:
        given = f"{path} has no {', '.join(missing)}" if missing else f"{path} has no image"
        raise BadInput(given=given, needed=needed, remedy=SCORED_AGAIN)
    broken = scores[scores[list(ALWAYS)].isna().any(axis=1)]
    if len(broken):
        first = broken.iloc[0]["frame"]
        given = f"{path} lacks a score of {counted(len(broken), 'image')}, the first {first}"
        raise BadInput(given=given, needed=needed, remedy=SCORED_AGAIN)
    return scores.fillna({"place": "", "time": ""})


def read_curve(folder: Path) -> pd.DataFrame:
    """The scores of the snapshots of one run, as `evaluate` wrote them.

    Raises BadInput if there are none, or if they lack a column.
    """
    path, columns = folder / CURVE, [*FACTS, *TAKEN, IMAGES]
    needed = f"one line a test image and snapshot, with {', '.join(columns)}"
    curve = read_numbers(path, needed=needed, columns=columns, texts=FACTS, remedy=SCORED_AGAIN)
    return curve[columns].fillna({"place": "", "time": ""})


def read_distances(folder: Path) -> dict[str, dict[str, float]]:
    """FID and KID by split, as `evaluate` wrote them; empty with stand-ins.

    Raises BadInput if the file is missing, cut or changed.
    """
    path = folder / "distances.json"
    needed = "FID and KID by split, or an empty mapping where they were not taken"
    found = read_mapping(path, needed=needed, remedy=SCORED_AGAIN)
    with reading(path, needed=needed, remedy=SCORED_AGAIN):
        return means_in(found)


def read_cost(path: Path) -> dict[str, Any]:
    """Read the measured cost."""
    return read_mapping(path, needed="what a training or a translation costs, by name")


def refuse_gaps(cost: Mapping[str, Any], paths: Sequence[Path]) -> None:
    """Raise BadInput if a cost is missing that the table has a column for."""
    if missing := {*COST, "training_device"} - {*cost}:
        raise BadInput(
            given=f"{' and '.join(map(str, paths))} have no {', '.join(sorted(missing))}",
            needed="what a training and a translation cost",
            remedy="run `dvc repro`: it measures again where the files are not as they were written",
        )
