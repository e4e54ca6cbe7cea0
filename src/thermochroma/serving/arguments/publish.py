"""Arguments of `publish`."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Final

from thermochroma.serving.arguments.project import add_data

TEXT: Final = (
    "Pack a translator with its model card into one archive for others; print its SHA-256."
)


def add(command: ArgumentParser) -> None:
    """Add the arguments."""
    command.add_argument(
        "translator",
        type=Path,
        help="a name that `thermochroma models` lists, or a translator.safetensors",
    )
    command.add_argument("--to", type=Path, required=True, help="the archive to write, NAME.zip")
    command.add_argument(
        "--card",
        type=Path,
        help="its model card; without it reports/<data set>/cards/<name>.md of the same project",
    )
    command.add_argument("--onnx", type=Path, help="the same network as ONNX, to be packed as well")
    add_data(command)
