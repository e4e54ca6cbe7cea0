"""Arguments of `cluster`."""

from argparse import ArgumentParser, ArgumentTypeError
from collections.abc import Callable
from pathlib import Path
from typing import Final

TEXT: Final = (
    "Run the pipeline with its trainings as tasks of a Ray cluster; data and results go through DVC's "
    "remote."
)


def add(command: ArgumentParser) -> None:
    """Add the arguments."""
    command.add_argument("what", choices=("run",), help="run: all trainings, then tables and page")
    command.add_argument(
        "--queue",
        action="store_true",
        help="train for the experiments in DVC's queue; they then end as `dvc exp run --run-all` ends",
    )
    command.add_argument(
        "--address",
        default="auto",
        help="of the cluster, as `ray start --head` prints it; without it the one on this machine",
    )
    command.add_argument(
        "--gpus-per-run",
        type=_from(0),
        metavar="N",
        help="GPUs for each training; without it 1 where the cluster has any",
    )
    command.add_argument(
        "--cpus-per-run",
        type=_from(1),
        default=1,
        metavar="N",
        help="processors, and threads, for each training; without it %(default)s",
    )
    command.add_argument(
        "--retries",
        type=_from(0),
        default=3,
        metavar="N",
        help="how often a training begins again whose machine is lost; without it %(default)s",
    )
    command.add_argument(
        "--checkpoint-seconds",
        type=_from(1),
        default=60,
        metavar="S",
        help="least time between two checkpoints that a training sends to this machine; without it "
        "%(default)s",
    )
    command.add_argument(
        "--checkpoints",
        type=Path,
        default=Path(".checkpoints"),
        help="the project's folder of checkpoints, as dvc.yaml has it; without it %(default)s",
    )


def _from(least: int) -> Callable[[str], int]:
    """A reader of whole numbers that are not below `least`."""

    def read(text: str) -> int:
        if not text.isdecimal() or int(text) < least:
            raise ArgumentTypeError(f"{text} is no whole number from {least} on")
        return int(text)

    return read
