"""Score predictions from outside, exactly as methods are scored."""

from pathlib import Path

from stages.command import run
from thermochroma.config.params import read_params
from thermochroma.pipeline.entry import evaluate_entry


def main(
    entry: str,
    params: Path,
    crops: Path,
    perception: Path,
    folder: Path,
    metrics: Path,
) -> None:
    """Score predictions from outside, exactly as methods are scored."""
    settings = read_params(params)
    chosen = settings.entries[entry]
    evaluate_entry(
        chosen,
        settings.evaluate[chosen.dataset],
        note=settings.dataset(chosen.dataset).note,
        crops=crops,
        perception=perception,
        folder=folder,
        metrics=metrics,
    )


if __name__ == "__main__":
    run(main)
