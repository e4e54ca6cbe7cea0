"""Estimate how thermal maps onto visible: one transform a mount, with its quality."""

from pathlib import Path

from stages.command import run
from thermochroma.config.params import read_params
from thermochroma.pipeline.register import register_dataset


def main(
    dataset: str,
    params: Path,
    frames: Path,
    raw: Path,
    registered: Path,
    scores: Path,
) -> None:
    """Estimate how thermal maps onto visible: one transform a mount, with its quality."""
    settings = read_params(params)
    register_dataset(
        settings.dataset(dataset),
        settings.registration,
        frames=frames,
        raw=raw,
        registered=registered,
        scores=scores,
    )


if __name__ == "__main__":
    run(main)
