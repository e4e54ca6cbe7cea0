"""Score the trivial, probe and oracle rows of one data set, exactly as methods are scored."""

from pathlib import Path

from stages.command import run
from thermochroma.config.params import read_params
from thermochroma.pipeline.baselines import evaluate_baselines


def main(
    dataset: str,
    params: Path,
    crops: Path,
    efficientnet: Path,
    perception: Path,
    folder: Path,
    metrics: Path,
) -> None:
    """Score the trivial, probe and oracle rows of one data set, exactly as methods are scored."""
    settings = read_params(params)
    evaluate_baselines(
        settings.evaluate[dataset],
        note=settings.dataset(dataset).note,
        crops=crops,
        efficientnet=efficientnet,
        perception=perception,
        folder=folder,
        metrics=metrics,
    )


if __name__ == "__main__":
    run(main)
