"""Arguments of `models`."""

from argparse import ArgumentParser
from typing import Final

from thermochroma.serving.arguments.project import add_data

TEXT: Final = (
    "List the translators that came with the package or were trained here, by the names that "
    "`translate` takes."
)


def add(command: ArgumentParser) -> None:
    """Add the arguments."""
    add_data(command)
