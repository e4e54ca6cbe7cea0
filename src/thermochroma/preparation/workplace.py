"""A folder in which long work is prepared, so that what was finished outlives an interruption.

DVC removes a stage's outputs before it runs. So they are made elsewhere, under a name that says all
that decides them, and take their place when they are whole.
"""

import fcntl
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from errno import EXDEV
from pathlib import Path
from typing import TextIO

from thermochroma.errors import BadInput
from thermochroma.files import whole_folder

LOCK = "lock"


@contextmanager
def workplace(folder: Path, *, patience_seconds: float = 10.0) -> Iterator[Path]:
    """Hold `folder` for this process alone, without what a killed one left half-written.

    The hold ends with the process, however it ends; one that is just being killed is waited for. The
    folder is removed when the block ends well. Raises BadInput if another process stays at it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / LOCK).open("w") as handle:
        _hold(handle, folder.name, time.monotonic() + patience_seconds)
        for part in folder.rglob(".part-*"):
            part.unlink()
        yield folder
        shutil.rmtree(folder)


def others(folder: Path) -> list[str]:
    """Names of the folders beside `folder` that work on the same thing otherwise decided has left.

    The name of a folder ends with "-" and a mark of what decides its content.
    """
    label = folder.name.rpartition("-")[0]
    return sorted(
        other.name.removeprefix(f"{label}-")
        for other in folder.parent.glob(f"{label}-*")
        if other != folder
    )


def deliver(made: Path, target: Path) -> None:
    """Let the folder `made` take the place of `target`: at once, or by a copy to another disk."""
    target.parent.mkdir(parents=True, exist_ok=True)
    if target.exists():
        shutil.rmtree(target)
    try:
        made.rename(target)
    except OSError as error:
        if error.errno != EXDEV:
            raise
        with whole_folder(target) as copy:
            shutil.copytree(made, copy, dirs_exist_ok=True)


def _hold(handle: TextIO, name: str, until: float) -> None:
    while True:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > until:
                raise BadInput(
                    given=f"another process is working on exactly this ({name})",
                    needed="one process for one outcome",
                    remedy="wait for it to end, or end it, then run again",
                ) from None
            time.sleep(0.1)
        else:
            return
