"""Arguments of `import-weights`."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Final

from thermochroma.serving.arguments.project import add_params

TEXT: Final = "Convert a public checkpoint into a translator file that every stage here can use."


def add(command: ArgumentParser) -> None:
    """Add the arguments."""
    add_params(command)
    command.add_argument("block", help="a block under `methods` in params.yaml")
    command.add_argument("checkpoint", type=Path, help="the authors' file")
    command.add_argument("translator", type=Path, help="the file to write")
