"""Bring a data set to disk in its authors' layout, and list its frames."""

from pathlib import Path

from stages.command import run
from thermochroma.config.params import read_params
from thermochroma.pipeline.download import download


def main(
    dataset: str,
    params: Path,
    raw: Path,
    frames: Path,
    report: Path,
    metrics: Path,
) -> None:
    """Bring a data set to disk in its authors' layout, and list its frames."""
    block = read_params(params).source(dataset)
    download(dataset, block, raw=raw, frames=frames, report=report, metrics=metrics)


if __name__ == "__main__":
    run(main)
