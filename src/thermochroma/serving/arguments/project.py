"""Arguments that several commands share: where the project's files lie, and which spectrum is meant."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Final

SPECTRA: Final = ("thermal", "visible")


def add_params(command: ArgumentParser) -> None:
    """Add `--params`."""
    command.add_argument(
        "--params",
        type=Path,
        default=Path("params.yaml"),
        help="the project's settings; without it %(default)s",
    )


def add_data(command: ArgumentParser) -> None:
    """Add `--data`."""
    command.add_argument(
        "--data",
        type=Path,
        default=Path("data"),
        help="the project's folder of data; without it %(default)s",
    )


def add_predicts(command: ArgumentParser) -> None:
    """Add `--predicts`."""
    command.add_argument(
        "--predicts",
        choices=SPECTRA,
        default="visible",
        help="spectrum of the predictions; without it %(default)s",
    )
