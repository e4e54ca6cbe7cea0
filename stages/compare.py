"""The tables, the figures and the cards of one data set."""

from pathlib import Path

from stages.command import run
from thermochroma.config.params import read_params
from thermochroma.pipeline.compare import compare
from thermochroma.pipeline.results import ResultFolders


def main(
    dataset: str,
    params: Path,
    crops: Path,
    runs: Path,
    scores: Path,
    baselines: Path,
    tables: Path,
    figures: Path,
    cards: Path,
) -> None:
    """The tables, the figures and the cards of one data set."""
    places = ResultFolders(runs, scores, baselines, tables, figures)
    compare(read_params(params).comparison(dataset), crops=crops, places=places, cards=cards)


if __name__ == "__main__":
    run(main)
