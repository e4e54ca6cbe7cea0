"""Fill MLflow in from the files on disk: runs restored from a cache, or a deleted database."""

import hashlib
import sys
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from thermochroma.base.errors import BadInput
from thermochroma.base.files import sha256
from thermochroma.base.project import at_root, project_root
from thermochroma.base.reading import reading
from thermochroma.base.splits import SCORED_SPLITS
from thermochroma.base.workplace import delivered, discard
from thermochroma.config.outside import OutsideEntry
from thermochroma.contract.dataset import Dataset
from thermochroma.evaluation.summary import as_readings
from thermochroma.export.metadata import read_metadata
from thermochroma.pipeline.backfill import log_baselines, log_experiment, log_tables
from thermochroma.pipeline.intervals import intervals_in, with_intervals
from thermochroma.pipeline.outside_runs import ScoredEntry, log_scored, read_scored
from thermochroma.pipeline.stored import (
    AGAIN,
    HISTORY,
    means_in,
    read_history,
    read_mapping,
    read_means,
)
from thermochroma.tracking.journal import digest_of, is_tracked, note_tracked, own_database
from thermochroma.tracking.lineage import lineage
from thermochroma.training.finished import discard_recorded

if TYPE_CHECKING:
    from thermochroma.tracking.mlflow_client import Tracker


Names: TypeAlias = Mapping[str, Sequence[str]]
"""Names of the entries that are trained on each data set."""
Outside: TypeAlias = Mapping[str, Mapping[str, OutsideEntry]]
"""Rows from outside of each data set, by name."""
Means: TypeAlias = Mapping[str, Mapping[str, float]]
"""Means of scores by split."""
TRANSLATOR = "translator.safetensors"
SUMMARY = "means of the scores by split, as the stages evaluate and baselines write them"


@dataclass(frozen=True)
class Trained:
    """Outcome of a training and its evaluation, as their files tell it."""

    name: str
    title: str
    predicts: str
    settings: Mapping[str, Any]
    weights: str
    """SHA-256 of the translator."""
    readings: Sequence[Mapping[str, float]]
    summary: Means
    card: Path | None = None
    """Model card, where the tables were made."""


@dataclass(frozen=True)
class Results:
    """Everything that MLflow is told of one data set."""

    dataset: str
    rows: Mapping[str, Means]
    """Trivial rows and oracles."""
    trainings: Sequence[Trained]
    scored: Sequence[ScoredEntry]
    """Rows from outside."""
    tables: Sequence[Path]


def track(
    trained: Names,
    *,
    outside: Outside,
    records: Mapping[str, Dataset],
    runs: Path,
    metrics: Path,
    reports: Path,
    checkpoints: Path,
    recorded: Collection[str],
) -> None:
    """Log what MLflow does not know yet; where nothing is new, MLflow is not even loaded.

    A fault of MLflow's is said and ends nothing: all results are in their files, and the next call fills
    it in. Also discards the croppings and trainings below `checkpoints` that have ended and whose outputs
    are recorded: nothing else runs behind every one of them.
    """
    place = at_root(checkpoints)
    discard(one for one, receipt in delivered(place).items() if receipt in recorded)
    discard_recorded(place, recorded)
    database = own_database(project_root())
    content = content_of(logged_files(trained, outside, runs, metrics, reports), outside)
    if database is not None and is_tracked(database, content):
        return
    found = [
        read_results(one, names, outside[one], runs, metrics, reports)
        for one, names in trained.items()
    ]
    try:
        for results in found:
            tell(results, records[results.dataset])
    except BadInput as fault:  # of MLflow's: all files have been read before
        sys.stderr.write(
            f"thermochroma: all results are in their files, but MLflow lacks some of them: {fault}\n"
        )
        return
    if database is not None:
        note_tracked(database, content)


def content_of(files: Iterable[Path], outside: Outside) -> str:
    """Digest of all that is logged: the contents of files, and what is told of rows from outside."""
    told = [
        f"{dataset} {name} {entry.model_dump_json()}\n"
        for dataset, rows in outside.items()
        for name, entry in rows.items()
    ]
    return hashlib.sha256("".join([digest_of(files), *told]).encode()).hexdigest()


def logged_files(
    trained: Names, outside: Outside, runs: Path, metrics: Path, reports: Path
) -> Iterator[Path]:
    """Paths of all files whose contents are logged."""
    for dataset, names in trained.items():
        for name in names:
            yield runs / dataset / name / TRANSLATOR
            yield runs / dataset / name / HISTORY
            yield metrics / dataset / f"{name}.json"
            if card := card_of(reports, dataset, name):
                yield card
        for name in outside[dataset]:
            yield metrics / dataset / f"{name}.json"
        yield metrics / dataset / "baselines.json"
        yield from tables_of(reports / dataset)


def card_of(reports: Path, dataset: str, name: str) -> Path | None:
    """The model card of a translator; None where the tables were not made yet."""
    path = reports / dataset / "cards" / f"{name}.md"
    return path if path.is_file() else None


def tables_of(folder: Path) -> Sequence[Path]:
    """The tables of one data set, in the order of their names."""
    return sorted((folder / "tables").iterdir())


def read_results(
    dataset: str,
    names: Sequence[str],
    outside: Mapping[str, OutsideEntry],
    runs: Path,
    metrics: Path,
    reports: Path,
) -> Results:
    """Read all that MLflow is told of one data set. Raises BadInput for a file that is not as it was."""
    bounds = intervals_in(reports / dataset / "tables")
    rows = read_rows(metrics / dataset / "baselines.json")
    trainings = [
        replace(
            read_training(name, runs / dataset / name, metrics / dataset / f"{name}.json"),
            card=card_of(reports, dataset, name),
        )
        for name in names
    ]
    scored = [
        read_scored(name, entry, metrics / dataset / f"{name}.json")
        for name, entry in outside.items()
    ]

    def whole(name: str, summary: Means) -> Means:
        return with_intervals(summary, bounds.get(name, {}))

    return Results(
        dataset,
        rows={name: whole(name, summary) for name, summary in rows.items()},
        trainings=[replace(one, summary=whole(one.name, one.summary)) for one in trainings],
        scored=[replace(one, summary=whole(one.name, one.summary)) for one in scored],
        tables=tables_of(reports / dataset),
    )


def read_training(name: str, folder: Path, scores: Path) -> Trained:
    """Read what a training and its evaluation have left."""
    from thermochroma.export.artifact import method_of, title_of  # loads torch

    translator = folder / TRANSLATOR
    metadata, history = read_metadata(translator), read_history(folder)
    columns = [str(each) for each in history.columns]
    return Trained(
        name,
        title=title_of(metadata),
        predicts=method_of(metadata).direction.predicted,
        settings=metadata.settings,
        weights=sha256(translator),
        readings=[dict(zip(columns, row, strict=True)) for row in history.to_numpy()],
        summary=read_means(scores, of=SCORED_SPLITS, needed=SUMMARY),
    )


def tell(results: Results, record: Dataset) -> None:
    """Tell MLflow of one data set what it does not know yet. Raises BadInput for a fault of MLflow's."""
    from thermochroma.tracking.mlflow_client import Tracker

    tracker = Tracker(results.dataset, root=project_root())
    log_experiment(tracker, record)
    log_baselines(tracker, results.dataset, results.rows)
    for trained in results.trainings:
        back_fill(tracker, results.dataset, trained)
    for scored in results.scored:
        log_scored(tracker, scored)
    log_tables(tracker, results.dataset, results.tables)


def back_fill(tracker: "Tracker", dataset: str, trained: Trained) -> None:
    """One run: found by its weights or made anew; readings and scores that are missing."""
    from thermochroma.tracking.mlflow_client import WEIGHTS

    tags = {"dataset": dataset, "method": trained.name, WEIGHTS: trained.weights}
    found = tracker.find(**tags)
    if found is None:
        run_id = tracker.restore(name=trained.name, tags=lineage(**tags))
        tracker.log_params(run_id, trained.settings)
    else:
        run_id = found.info.run_id
    tracker.log_rows(run_id, trained.readings)
    tracker.log_scores(run_id, as_readings(trained.summary))
    if trained.card is not None:
        tracker.log_card(run_id, trained.card)
    if Path.cwd().resolve() == project_root().resolve():  # else a queued experiment's own dvc.lock
        tracker.point(f"{dataset}-{trained.name}", run_id)
    tracker.describe(
        run_id,
        f"{trained.title}, trained on `{dataset}` and scored there.",
        tags={"kind": "method", "predicts": trained.predicts},
    )


def read_rows(path: Path) -> dict[str, dict[str, dict[str, float]]]:
    """Means of the trivial rows and oracles by split. Raises BadInput if it is another file."""
    from thermochroma.baselines.catalogue import BASELINES  # loads torch

    names = [name for known in BASELINES.values() for name in known.names]
    found = read_mapping(path, needed=SUMMARY, keys=names)
    with reading(path, needed=SUMMARY, remedy=AGAIN):
        return {
            name: means_in({split: found[name][split] for split in SCORED_SPLITS}) for name in names
        }
