"""Arguments of `new-method`."""

from argparse import ArgumentParser
from typing import Final

TEXT: Final = "Write the first files of a new method into this clone; tell what is left to do."


def add(command: ArgumentParser) -> None:
    """Add the arguments."""
    command.add_argument("name", help="of the method and its file: [a-z][a-z0-9_]*")
