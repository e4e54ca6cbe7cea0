"""Arguments of `diagram`."""

from argparse import ArgumentParser
from typing import Final

from thermochroma.serving.arguments.project import add_params

TEXT: Final = "Print a Mermaid flowchart of a translator at full width, drawn from its code."


def add(command: ArgumentParser) -> None:
    """Add the arguments."""
    add_params(command)
    command.add_argument("block", help="a block under `methods` in params.yaml")
