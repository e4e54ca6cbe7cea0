"""The work of `new-dataset`."""

import sys
from argparse import Namespace
from pathlib import Path

from thermochroma.serving.skeletons import new_dataset


def run(chosen: Namespace) -> None:
    """Write the files; print what is left to do."""
    sys.stdout.write(new_dataset(chosen.name, Path()))
