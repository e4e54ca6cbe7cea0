"""One process per folder: a lock is held during long work, so that two never do it at once."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from filelock import AcquireReturnProxy, FileLock, Timeout

from thermochroma.base.errors import BadInput

LOCK: Final = "lock"


@contextmanager
def exclusive_lock(folder: Path, *, patience_seconds: float = 10.0) -> Iterator[None]:
    """Lock `folder` for this process; the lock ends with the process, however it ends.

    Waits `patience_seconds` for a process that is just being killed. Raises BadInput if another
    process keeps the lock longer.
    """
    with _held(folder, FileLock(folder / LOCK, timeout=patience_seconds)):
        yield


def remove_held(folder: Path) -> None:
    """Remove a folder that this process has locked; a waiting process then makes it anew, empty."""
    for one in folder.iterdir():
        if one.is_dir():
            shutil.rmtree(one)
        elif one.name != LOCK:
            one.unlink()
    (folder / LOCK).unlink()
    with suppress(OSError):  # a waiting process makes its own lock as soon as ours is removed
        folder.rmdir()


def _held(folder: Path, lock: FileLock) -> AcquireReturnProxy[FileLock]:
    while True:
        folder.mkdir(parents=True, exist_ok=True)
        try:
            return lock.acquire()
        except FileNotFoundError:  # the process that held the folder has finished and removed it
            continue
        except Timeout:
            raise BadInput(
                given=f"another process is working in the same folder ({folder.name})",
                needed="one process per folder",
                remedy="wait for it to end, or end it, then run again",
            ) from None
