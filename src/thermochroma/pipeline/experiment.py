"""Scores of an experiment in MLflow: a sweep ends behind `evaluate`, and the stage `track` does not run."""

import sys
from collections.abc import Mapping
from pathlib import Path

from thermochroma.base.errors import BadInput
from thermochroma.base.files import sha256
from thermochroma.base.project import project_root
from thermochroma.evaluation.summary import as_readings
from thermochroma.tracking.lineage import in_experiment, lineage


def tell_experiment(
    dataset: str, name: str, translator: Path, summary: Mapping[str, Mapping[str, float]]
) -> None:
    """Add the scores of an experiment to the run of its training; outside of experiments, do nothing.

    summary: means by split. A fault of MLflow's is said and ends nothing.
    """
    if not in_experiment():
        return
    from thermochroma.tracking.mlflow_client import WEIGHTS, Tracker  # loads MLflow

    tags = {"dataset": dataset, "method": name, WEIGHTS: sha256(translator)}
    try:
        tracker = Tracker(dataset, root=project_root())
        found = tracker.find(**tags)
        run_id = found.info.run_id if found else tracker.restore(name=name, tags=lineage(**tags))
        tracker.log_scores(run_id, as_readings(summary))
    except BadInput as fault:
        sys.stderr.write(
            f"thermochroma: the scores are in their files, but MLflow lacks them: {fault}\n"
        )
