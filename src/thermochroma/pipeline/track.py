"""Fill MLflow in from the files on disk: runs restored from a cache, or a deleted database."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from thermochroma.base.files import sha256
from thermochroma.base.manifest import SCORED_SPLITS
from thermochroma.base.project import at_root, project_root
from thermochroma.base.reading import reading
from thermochroma.evaluation.summary import as_readings
from thermochroma.export.metadata import read_metadata
from thermochroma.pipeline.backfill import log_baselines, log_experiment, log_tables
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


Trained: TypeAlias = Mapping[str, Sequence[str]]
"""Names of the entries that are trained on each data set."""
TRANSLATOR = "translator.safetensors"
SUMMARY = "means of the scores by split, as the stages evaluate and baselines write them"


def track(
    trained: Trained,
    *,
    runs: Path,
    metrics: Path,
    reports: Path,
    checkpoints: Path,
    recorded: Collection[str],
) -> None:
    """Log what MLflow does not know yet; where nothing is new, MLflow is not even loaded.

    Also discards the trainings below `checkpoints` that have ended and whose translator is recorded:
    nothing else runs behind every one of them.
    """
    discard_recorded(at_root(checkpoints), recorded)
    database = own_database(project_root())
    content = digest_of(logged_files(trained, runs, metrics, reports))
    if database is None:
        fill(trained, runs, metrics, reports)
    elif not is_tracked(database, content):
        fill(trained, runs, metrics, reports)
        note_tracked(database, content)


def logged_files(trained: Trained, runs: Path, metrics: Path, reports: Path) -> Iterator[Path]:
    """Paths of all files whose contents are logged."""
    for dataset, names in trained.items():
        for name in names:
            yield runs / dataset / name / TRANSLATOR
            yield runs / dataset / name / HISTORY
            yield metrics / dataset / f"{name}.json"
        yield metrics / dataset / "baselines.json"
        yield from tables_of(reports / dataset)


def tables_of(folder: Path) -> Sequence[Path]:
    """The tables of one data set, in the order of their names."""
    return sorted((folder / "tables").iterdir())


def fill(trained: Trained, runs: Path, metrics: Path, reports: Path) -> None:
    """Tell MLflow of each data set what it does not know yet: methods, other rows, tables."""
    from thermochroma.tracking.mlflow_client import Tracker

    for dataset, names in trained.items():
        tracker = Tracker(dataset, root=project_root())
        rows = read_rows(metrics / dataset / "baselines.json")
        log_experiment(tracker, dataset)
        log_baselines(tracker, dataset, rows)
        for name in names:
            scores = metrics / dataset / f"{name}.json"
            summary = read_means(scores, of=SCORED_SPLITS, needed=SUMMARY)
            back_fill(tracker, dataset, name, runs / dataset / name, summary)
        log_tables(tracker, dataset, tables_of(reports / dataset))


def back_fill(
    tracker: "Tracker",
    dataset: str,
    name: str,
    folder: Path,
    summary: Mapping[str, Mapping[str, float]],
) -> None:
    """One run: found by its weights or made anew; readings and scores that are missing."""
    from thermochroma.export.artifact import method_of, title_of  # loads torch
    from thermochroma.tracking.mlflow_client import WEIGHTS

    translator = folder / TRANSLATOR
    metadata = read_metadata(translator)
    tags = {"dataset": dataset, "method": name, WEIGHTS: sha256(translator)}
    found = tracker.find(**tags)
    if found is None:
        run_id = tracker.restore(name=name, tags=lineage(**tags))
        tracker.log_params(run_id, metadata.settings)
    else:
        run_id = found.info.run_id
    history = read_history(folder)
    columns = [str(each) for each in history.columns]
    tracker.log_rows(run_id, [dict(zip(columns, row, strict=True)) for row in history.to_numpy()])
    tracker.log_scores(run_id, as_readings(summary))
    tracker.describe(
        run_id,
        f"{title_of(metadata)}, trained on `{dataset}` and scored there.",
        tags={"kind": "method", "predicts": method_of(metadata).direction.predicted},
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
