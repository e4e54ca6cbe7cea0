"""One process at one place: long work in a folder is held, so that two never do it at once."""

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
    """Hold `folder` for this process alone; the hold ends with the process, however it ends.

    One that is just being killed is waited for. Raises BadInput if another process stays at it.
    """
    with _held(folder, FileLock(folder / LOCK, timeout=patience_seconds)):
        yield


def remove_held(folder: Path) -> None:
    """Remove a folder that this process holds; who waits for it finds it gone, or empty and its own."""
    for one in folder.iterdir():
        if one.is_dir():
            shutil.rmtree(one)
        elif one.name != LOCK:
            one.unlink()
    (folder / LOCK).unlink()
    with suppress(OSError):  # who waits makes a lock of its own as soon as ours has gone
        folder.rmdir()


def _held(folder: Path, lock: FileLock) -> AcquireReturnProxy[FileLock]:
    while True:
        folder.mkdir(parents=True, exist_ok=True)
        try:
            return lock.acquire()
        except FileNotFoundError:  # whoever held the folder has removed it, its work being done
            continue
        except Timeout:
            raise BadInput(
                given=f"another process is working on exactly this ({folder.name})",
                needed="one process for one outcome",
                remedy="wait for it to end, or end it, then run again",
            ) from None
