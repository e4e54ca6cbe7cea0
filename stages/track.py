"""Fill MLflow in from the files on disk: runs restored from a cache, or a deleted database."""

import json
from pathlib import Path

import pandas as pd

from stages.command import project_root, run
from stages.lineage import lineage
from thermochroma.files import sha256
from thermochroma.label import read_label
from thermochroma.params import read_params
from thermochroma.summary import JUDGED_SPLITS, as_readings
from thermochroma.tracking import WEIGHTS, Tracker


def main(params: Path, runs: Path, metrics: Path) -> None:
    """Touches nothing that is there already."""
    settings = read_params(params)
    for dataset in settings.datasets:
        tracker = Tracker(dataset, root=project_root())
        for name in settings.lineup:
            back_fill(tracker, dataset, name, runs / dataset / name, metrics / dataset)


def back_fill(tracker: Tracker, dataset: str, name: str, folder: Path, metrics: Path) -> None:
    """One run: found by its weights or made anew; readings and scores that are missing."""
    translator = folder / "translator.safetensors"
    tags = {"dataset": dataset, "method": name, WEIGHTS: sha256(translator)}
    found = tracker.find(**tags)
    if found is None:
        run_id = tracker.restore(name=name, tags=lineage(**tags))
        tracker.log_params(run_id, read_label(translator).settings)
    else:
        run_id = found.info.run_id
    history = pd.read_csv(folder / "history.csv")
    names = [str(name) for name in history.columns]
    tracker.log_rows(run_id, [dict(zip(names, row, strict=True)) for row in history.to_numpy()])
    summary = json.loads((metrics / f"{name}.json").read_text(encoding="utf-8"))
    tracker.log_scores(run_id, as_readings({split: summary[split] for split in JUDGED_SPLITS}))


if __name__ == "__main__":
    run(main)
