"""Arguments of `verify`."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Final

TEXT: Final = (
    "Compare every byte of the project with what was noted of it, and name what is damaged."
)


def add(command: ArgumentParser) -> None:
    """Add the arguments."""
    command.add_argument(
        "project", type=Path, nargs="?", default=Path(), help="its folder; none: the current one"
    )
