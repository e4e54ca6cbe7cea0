"""A folder in which long work is prepared, so that finished parts survive an interruption.

DVC removes a stage's outputs before it runs. So they are made elsewhere, in a folder whose name
depends on everything that decides them, and are delivered when they are complete. DVC records them some
time after that; until then the folder stays.
"""

import os
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from errno import EXDEV
from pathlib import Path
from typing import Final

from thermochroma.base.errors import BadInput
from thermochroma.base.files import md5, remove_folder, sweep, whole_folder
from thermochroma.base.lock import exclusive_lock

RECEIPT: Final = "receipt"
"""Name of a file in a workplace that stays when its work is delivered: a copy of one of the outputs."""


@contextmanager
def workplace(folder: Path, *, patience_seconds: float = 10.0) -> Iterator[Path]:
    """Lock `folder` for this process and remove half-written files of a killed one.

    The lock ends with the process, however it ends. The folder is removed when the block ends well,
    unless it holds a RECEIPT then. Waits `patience_seconds` for a process that is just being killed.
    Raises BadInput if another process keeps the lock longer.
    """
    with exclusive_lock(folder, patience_seconds=patience_seconds):
        for inner in [folder, *folder.rglob("*/")]:
            if inner.exists():  # else swept with the one above it
                sweep(inner)
        yield folder
        if not (folder / RECEIPT).exists():
            remove_folder(folder)


def others(folder: Path) -> list[str]:
    """Fingerprints of the folders beside `folder` that hold the same work under other settings.

    The name of a folder ends with "-" and a fingerprint of everything that decides its content. Those
    whose work was delivered are removed: whoever works under other settings has no use for them.
    """
    work = folder.name.rpartition("-")[0]
    discard(one for one in delivered(folder.parent, work) if one != folder)
    return sorted(
        other.name.removeprefix(f"{work}-")
        for other in folder.parent.glob(f"{work}-*")
        if other != folder and other.is_dir()
    )


def delivered(root: Path, work: str = "*") -> dict[Path, str]:
    """MD5 of the receipt of each workplace in `root` whose work has been delivered."""
    return {path.parent: md5(path) for path in root.glob(f"{work}-*/{RECEIPT}")}


def discard(places: Iterable[Path]) -> None:
    """Remove workplaces; one that another process holds is left."""
    for place in places:
        with suppress(BadInput), exclusive_lock(place, patience_seconds=0.0):
            remove_folder(place)


def deliver(made: Path, target: Path) -> bool:
    """Put the folder `made` at `target`, replacing it; whether it is still in its own place, too.

    That costs no room, for both have the same files. Where a disk cannot have a file in two places, it is
    moved: by a rename, or a copy to another disk.
    """
    try:
        with whole_folder(target) as part:
            shutil.copytree(made, part, copy_function=os.link, dirs_exist_ok=True)
        return True
    except OSError:
        _move(made, target)
        return False


def _move(made: Path, target: Path) -> None:
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
