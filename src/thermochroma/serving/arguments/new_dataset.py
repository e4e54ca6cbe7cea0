"""Arguments of `new-dataset`."""

from argparse import ArgumentParser
from typing import Final

TEXT: Final = "Write the first files of a new data set into this clone; tell what is left to do."


def add(command: ArgumentParser) -> None:
    """Add the arguments."""
    command.add_argument("name", help="of the data set and its file: [a-z][a-z0-9_]*")
