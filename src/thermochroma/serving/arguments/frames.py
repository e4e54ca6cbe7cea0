"""Arguments of `frames`."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Final

from thermochroma.base.splits import SPLITS
from thermochroma.serving.arguments.project import add_data, add_predicts

TEXT: Final = (
    "Write the frames of one split as PNG, as every method is shown them; the truth only if asked."
)


def add(command: ArgumentParser) -> None:
    """Add the arguments."""
    command.add_argument("--dataset", required=True, help="a data set whose crops have been made")
    command.add_argument(
        "--split", choices=SPLITS, default="test", help="which frames; without it %(default)s"
    )
    command.add_argument("--to", type=Path, required=True, help="a new folder for the images")
    command.add_argument("--truth", type=Path, help="a new folder for the true images, too")
    add_predicts(command)
    add_data(command)
