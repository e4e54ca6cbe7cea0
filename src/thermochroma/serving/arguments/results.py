"""Arguments of `results`."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Final

from thermochroma.base.splits import SCORED_SPLITS
from thermochroma.serving.arguments.project import add_params

TEXT: Final = "Print the few numbers that a person wants of each data set, the best PSNR first."


def add(command: ArgumentParser) -> None:
    """Add the arguments."""
    command.add_argument("datasets", nargs="*", help="data sets of params.yaml; none: all")
    command.add_argument(
        "--split", choices=SCORED_SPLITS, default="test", help="without it %(default)s"
    )
    command.add_argument(
        "--reports",
        type=Path,
        default=Path("reports"),
        help="folder of the tables, as `dvc repro` writes it; without it %(default)s",
    )
    add_params(command)
