"""A folder in which long work is prepared, so that what was finished outlives an interruption.

DVC removes a stage's outputs before it runs. So they are made elsewhere, under a name that says all
that decides them, and take their place when they are whole.
"""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from errno import EXDEV
from pathlib import Path

from thermochroma.base.files import whole_folder
from thermochroma.base.lock import exclusive_lock, remove_held


@contextmanager
def workplace(folder: Path, *, patience_seconds: float = 10.0) -> Iterator[Path]:
    """Hold `folder` for this process alone, without what a killed one left half-written.

    The hold ends with the process, however it ends; one that is just being killed is waited for. The
    folder is removed when the block ends well. Raises BadInput if another process stays at it.
    """
    with exclusive_lock(folder, patience_seconds=patience_seconds):
        for part in folder.rglob(".part-*"):
            part.unlink()
        yield folder
        remove_held(folder)


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
