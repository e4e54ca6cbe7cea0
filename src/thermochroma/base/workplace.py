"""A folder in which long work is prepared, so that finished parts survive an interruption.

DVC removes a stage's outputs before it runs. So they are made elsewhere, in a folder whose name
depends on everything that decides them, and are moved into place when they are complete.
"""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from errno import EXDEV
from pathlib import Path

from thermochroma.base.files import remove_folder, sweep, whole_folder
from thermochroma.base.lock import exclusive_lock


@contextmanager
def workplace(folder: Path, *, patience_seconds: float = 10.0) -> Iterator[Path]:
    """Lock `folder` for this process and remove half-written files of a killed one.

    The lock ends with the process, however it ends. The folder is removed when the block ends well.
    Waits `patience_seconds` for a process that is just being killed. Raises BadInput if another
    process keeps the lock longer.
    """
    with exclusive_lock(folder, patience_seconds=patience_seconds):
        for inner in [folder, *folder.rglob("*/")]:
            if inner.exists():  # else swept with the one above it
                sweep(inner)
        yield folder
        remove_folder(folder)


def others(folder: Path) -> list[str]:
    """Fingerprints of the folders beside `folder` that hold the same work under other settings.

    The name of a folder ends with "-" and a fingerprint of everything that decides its content.
    """
    work = folder.name.rpartition("-")[0]
    return sorted(
        other.name.removeprefix(f"{work}-")
        for other in folder.parent.glob(f"{work}-*")
        if other != folder and other.is_dir()
    )


def deliver(made: Path, target: Path) -> None:
    """Move the folder `made` to `target`, replacing it: by a rename, or a copy to another disk."""
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
