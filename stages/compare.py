"""The tables and the figures of one data set."""

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
) -> None:
    """The tables and the figures of one data set."""
    places = ResultFolders(runs, scores, baselines, tables, figures)
    compare(read_params(params).comparison(dataset), crops=crops, places=places)


if __name__ == "__main__":
    run(main)
