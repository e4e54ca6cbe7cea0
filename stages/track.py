"""Fill MLflow in from the files on disk: runs restored from a cache, or a deleted database."""

from pathlib import Path

from stages.command import run
from stages.recorded import recorded_in
from thermochroma.config.params import read_params
from thermochroma.pipeline.track import track


def main(
    params: Path,
    runs: Path,
    metrics: Path,
    reports: Path,
    checkpoints: Path,
    recorded: Path,
) -> None:
    """Fill MLflow in from the files on disk: runs restored from a cache, or a deleted database."""
    settings = read_params(params)
    trained = {dataset: settings.trained_on(dataset) for dataset in settings.datasets}
    track(
        trained,
        outside={dataset: settings.outside(dataset) for dataset in settings.datasets},
        records={dataset: settings.dataset(dataset) for dataset in settings.datasets},
        runs=runs,
        metrics=metrics,
        reports=reports,
        checkpoints=checkpoints,
        recorded=recorded_in(recorded),
    )


if __name__ == "__main__":
    run(main)
