"""Score one translator: score every held-out image, keep a panel, measure the cost."""

from pathlib import Path

from stages.command import run
from thermochroma.config.params import read_params
from thermochroma.pipeline.evaluate import evaluate


def main(
    dataset: str,
    params: Path,
    crops: Path,
    text: Path,
    translator: Path,
    snapshots: Path,
    perception: Path,
    folder: Path,
    metrics: Path,
) -> None:
    """Score one translator: score every held-out image, keep a panel, measure the cost."""
    settings = read_params(params)
    evaluate(
        dataset,
        settings.evaluate[dataset],
        note=settings.dataset(dataset).note,
        crops=crops,
        text=text,
        translator=translator,
        snapshots=snapshots,
        perception=perception,
        folder=folder,
        metrics=metrics,
    )


if __name__ == "__main__":
    run(main)
