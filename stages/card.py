"""Draw what a registration is worth: a card of numbers, and frames before and after."""

from pathlib import Path

from stages.command import run
from thermochroma.config.params import read_params
from thermochroma.pipeline.card import draw_registration


def main(
    dataset: str,
    params: Path,
    frames: Path,
    raw: Path,
    registered: Path,
    report: Path,
) -> None:
    """Draw what a registration is worth: a card of numbers, and frames before and after."""
    record = read_params(params).dataset(dataset)
    draw_registration(record, frames=frames, raw=raw, registered=registered, report=report)


if __name__ == "__main__":
    run(main)
