"""Fill MLflow in from the files on disk: runs restored from a cache, or a deleted database."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from stages.command import project_root, run
from stages.lineage import lineage
from thermochroma.files import sha256
from thermochroma.label import read_label
from thermochroma.params import read_params
from thermochroma.summary import JUDGED_SPLITS, as_readings
from thermochroma.tracked import digest_of, is_tracked, note_tracked, own_database

if TYPE_CHECKING:
    from thermochroma.tracking import Tracker


TRANSLATOR, HISTORY = "translator.safetensors", "history.csv"


def main(params: Path, runs: Path, metrics: Path) -> None:
    """Touches nothing that is there already; MLflow is not even loaded where nothing is new."""
    settings = read_params(params)
    pairs = [
        (dataset, name) for dataset in settings.datasets for name in settings.trained_on(dataset)
    ]
    files = [
        path
        for dataset, name in pairs
        for path in (
            runs / dataset / name / TRANSLATOR,
            runs / dataset / name / HISTORY,
            metrics / dataset / f"{name}.json",
        )
    ]
    database, content = own_database(project_root()), digest_of(files)
    if database is None:
        fill(pairs, runs, metrics)
    elif not is_tracked(database, content):
        fill(pairs, runs, metrics)
        note_tracked(database, content)


def fill(pairs: Sequence[tuple[str, str]], runs: Path, metrics: Path) -> None:
    """Tell MLflow of each data set's line-up what it does not know yet."""
    from thermochroma.tracking import Tracker

    trackers: dict[str, Tracker] = {}
    for dataset, name in pairs:
        if dataset not in trackers:
            trackers[dataset] = Tracker(dataset, root=project_root())
        back_fill(trackers[dataset], dataset, name, runs / dataset / name, metrics / dataset)


def back_fill(tracker: "Tracker", dataset: str, name: str, folder: Path, metrics: Path) -> None:
    """One run: found by its weights or made anew; readings and scores that are missing."""
    import pandas as pd

    from thermochroma.tracking import WEIGHTS

    translator = folder / TRANSLATOR
    tags = {"dataset": dataset, "method": name, WEIGHTS: sha256(translator)}
    found = tracker.find(**tags)
    if found is None:
        run_id = tracker.restore(name=name, tags=lineage(**tags))
        tracker.log_params(run_id, read_label(translator).settings)
    else:
        run_id = found.info.run_id
    history = pd.read_csv(folder / HISTORY)
    names = [str(each) for each in history.columns]
    tracker.log_rows(run_id, [dict(zip(names, row, strict=True)) for row in history.to_numpy()])
    summary = json.loads((metrics / f"{name}.json").read_text(encoding="utf-8"))
    tracker.log_scores(run_id, as_readings({split: summary[split] for split in JUDGED_SPLITS}))


if __name__ == "__main__":
    run(main)
