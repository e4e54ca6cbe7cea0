"""Fill MLflow in from the files on disk: runs restored from a cache, or a deleted database."""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from thermochroma.base.files import sha256
from thermochroma.base.manifest import SCORED_SPLITS
from thermochroma.base.project import project_root
from thermochroma.config.params import Params, read_params
from thermochroma.evaluation.summary import as_readings
from thermochroma.export.metadata import read_metadata
from thermochroma.pipeline.backfill import log_baselines, log_experiment, log_tables
from thermochroma.tracking.journal import digest_of, is_tracked, note_tracked, own_database
from thermochroma.tracking.lineage import lineage

if TYPE_CHECKING:
    from thermochroma.tracking.mlflow_client import Tracker


TRANSLATOR, HISTORY = "translator.safetensors", "history.csv"


def track(params: Path, runs: Path, metrics: Path, reports: Path) -> None:
    """Touches nothing that is there already; MLflow is not even loaded where nothing is new."""
    settings = read_params(params)
    database = own_database(project_root())
    content = digest_of(logged_files(settings, runs, metrics, reports))
    if database is None:
        fill(settings, runs, metrics, reports)
    elif not is_tracked(database, content):
        fill(settings, runs, metrics, reports)
        note_tracked(database, content)


def logged_files(settings: Params, runs: Path, metrics: Path, reports: Path) -> Iterator[Path]:
    """Every file that MLflow is told of."""
    for dataset in settings.datasets:
        for name in settings.trained_on(dataset):
            yield runs / dataset / name / TRANSLATOR
            yield runs / dataset / name / HISTORY
            yield metrics / dataset / f"{name}.json"
        yield metrics / dataset / "baselines.json"
        yield from tables_of(reports / dataset)


def tables_of(folder: Path) -> Sequence[Path]:
    """The tables of one data set, in the order of their names."""
    return sorted((folder / "tables").iterdir())


def fill(settings: Params, runs: Path, metrics: Path, reports: Path) -> None:
    """Tell MLflow of each data set what it does not know yet: methods, other rows, tables."""
    from thermochroma.tracking.mlflow_client import Tracker

    for dataset in settings.datasets:
        tracker = Tracker(dataset, root=project_root())
        rows = read_summary(metrics / dataset / "baselines.json")
        log_experiment(tracker, dataset)
        log_baselines(tracker, dataset, rows)
        for name in settings.trained_on(dataset):
            summary = read_summary(metrics / dataset / f"{name}.json")
            back_fill(tracker, dataset, name, runs / dataset / name, summary)
        log_tables(tracker, dataset, tables_of(reports / dataset))


def back_fill(
    tracker: "Tracker", dataset: str, name: str, folder: Path, summary: dict[str, Any]
) -> None:
    """One run: found by its weights or made anew; readings and scores that are missing."""
    import pandas as pd

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
    history = pd.read_csv(folder / HISTORY)
    names = [str(each) for each in history.columns]
    tracker.log_rows(run_id, [dict(zip(names, row, strict=True)) for row in history.to_numpy()])
    tracker.log_scores(run_id, as_readings({split: summary[split] for split in SCORED_SPLITS}))
    tracker.describe(
        run_id,
        f"{title_of(metadata)}, taught on `{dataset}` and scored there.",
        tags={"kind": "method", "predicts": method_of(metadata).direction.predicted},
    )


def read_summary(path: Path) -> dict[str, Any]:
    """What a stage left as its metrics."""
    summary: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return summary
