"""Arguments of `demo`."""

from argparse import ArgumentParser
from typing import Final

from thermochroma.serving.arguments.project import add_data

TEXT: Final = (
    "Open a page in the browser, on this machine alone, on which images and videos are dropped to be "
    "translated."
)


def add(command: ArgumentParser) -> None:
    """Add the arguments."""
    command.add_argument(
        "translators",
        nargs="*",
        help="those to choose from, as `translate` takes them; without any, all that `thermochroma models` "
        "lists",
    )
    add_data(command)
    command.add_argument("--port", type=int, help="without it the first that is free from 7860 on")
