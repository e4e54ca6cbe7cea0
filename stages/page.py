"""One page for all data sets: who wins, by how much, whether that is real, and what it looks like."""

from pathlib import Path

from stages.command import run
from thermochroma.config.params import read_params
from thermochroma.pipeline.page import Roots, build_page


def main(
    params: Path,
    crops: Path,
    runs: Path,
    scores: Path,
    baselines: Path,
    page: Path,
    images: Path,
) -> None:
    """One page for all data sets: who wins, by how much, whether that is real, and what it looks like."""
    settings = read_params(params)
    comparisons = [settings.comparison(dataset) for dataset in settings.datasets]
    roots = Roots(crops, runs, scores, baselines)
    build_page(comparisons, roots=roots, page=page, images=images)


if __name__ == "__main__":
    run(main)
