"""Draw what a registration is worth: a card of numbers, and frames before and after."""

from pathlib import Path

from stages.command import run
from thermochroma.pipeline.card import draw_registration


def main(
    dataset: str,
    frames: Path,
    raw: Path,
    registered: Path,
    report: Path,
) -> None:
    """Draw what a registration is worth: a card of numbers, and frames before and after."""
    draw_registration(dataset, frames=frames, raw=raw, registered=registered, report=report)


if __name__ == "__main__":
    run(main)
