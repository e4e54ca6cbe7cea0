"""Arguments of `score`."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Final

from thermochroma.base.splits import SCORED_SPLITS
from thermochroma.serving.arguments.project import add_data, add_params, add_predicts

TEXT: Final = (
    "Score a folder of predictions under the whole protocol, beside the rows that learn nothing."
)


def add(command: ArgumentParser) -> None:
    """Add the arguments."""
    command.add_argument("folder", type=Path, help="one PNG a frame, named as `frames` names them")
    command.add_argument("--name", required=True, help="title of the row")
    truth = command.add_mutually_exclusive_group(required=True)
    truth.add_argument("--dataset", help="a data set whose baselines have been scored")
    truth.add_argument("--truth", type=Path, help="instead: a folder of true images, equally named")
    command.add_argument("--thermal", type=Path, help="with --truth: the folder of thermal images")
    command.add_argument(
        "--split",
        choices=SCORED_SPLITS,
        default="test",
        help="frames that were predicted; without it %(default)s",
    )
    command.add_argument("--to", type=Path, help="a folder for the table and the scores of images")
    add_params(command)
    add_predicts(command)
    add_data(command)
