"""Arguments of `export`."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Final

from thermochroma.inference.defaults import NEUTRAL
from thermochroma.serving.arguments.project import add_data

TEXT: Final = (
    "Write a translator as ONNX, for machines without torch. The file appears only if ONNX Runtime "
    "computes what torch does, at three sizes."
)


def add(command: ArgumentParser) -> None:
    """Add the arguments."""
    command.add_argument(
        "translator",
        help="a name that `thermochroma models` lists, a translator.safetensors, or an archive",
    )
    command.add_argument("--onnx", type=Path, required=True, help="the file to write, NAME.onnx")
    add_data(command)
    command.add_argument(
        "--sentence",
        help=f"for methods that read, the one that is built into the file; without it: {NEUTRAL!r}",
    )
    command.add_argument(
        "--text",
        type=Path,
        help="folder of their text encoder; without it weights/clip below --data",
    )
