"""Arguments of `parameters`."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Final

from thermochroma.serving.arguments.project import add_params

TEXT: Final = "Print how many parameters each player has, ours and published."


def add(command: ArgumentParser) -> None:
    """Add the arguments."""
    add_params(command)
    command.add_argument(
        "--weights",
        type=Path,
        default=Path("data/weights"),
        help="folder of the frozen networks, as the stage `weights` writes it; without it %(default)s",
    )
    command.add_argument("blocks", nargs="*", help="blocks of params.yaml; none: all")
