"""The ceiling of one data set: what the truth scores when it is spoilt in known ways."""

from pathlib import Path

from stages.command import run
from thermochroma.config.params import read_params
from thermochroma.pipeline.ceiling import measure_ceiling


def main(
    dataset: str,
    params: Path,
    crops: Path,
    registered: Path,
    raw: Path,
    report: Path,
) -> None:
    """The ceiling of one data set: what the truth scores when it is spoilt in known ways."""
    settings = read_params(params)
    measure_ceiling(
        settings.dataset(dataset),
        settings.evaluate[dataset],
        seed=settings.seed,
        crops=crops,
        registered=registered,
        raw=raw,
        report=report,
    )


if __name__ == "__main__":
    run(main)
