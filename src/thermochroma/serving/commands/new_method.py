"""The work of `new-method`."""

import sys
from argparse import Namespace
from pathlib import Path

from thermochroma.serving.skeletons import new_method


def run(chosen: Namespace) -> None:
    """Write the files; print what is left to do."""
    sys.stdout.write(new_method(chosen.name, Path()))
