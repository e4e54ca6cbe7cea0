"""One process per folder: a lock is held during long work, so that two never do it at once."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from filelock import FileLock, Timeout

from thermochroma.base.errors import BadInput


@contextmanager
def exclusive_lock(folder: Path, *, patience_seconds: float = 10.0) -> Iterator[None]:
    """Lock `folder` for this process, and make it; the lock ends with the process, however it ends.

    The lock is a file beside the folder, so that whoever holds it may remove the folder. The file goes
    when the block ends. Waits `patience_seconds` for a process that is just being killed. Raises BadInput
    if another process keeps the lock longer.
    """
    path = lock_of(folder)
    path.parent.mkdir(parents=True, exist_ok=True)
    # A waiting process may get hold of the file that was just removed: FileLock sees that no name leads
    # to it any more, and waits for the file that does.
    lock = FileLock(path, timeout=patience_seconds)
    try:
        lock.acquire()
    except Timeout:
        raise BadInput(
            given=f"another process is working in the same folder ({folder.name})",
            needed="one process per folder",
            remedy="wait for it to end, or end it, then run again",
        ) from None
    try:
        folder.mkdir(exist_ok=True)
        yield
    finally:
        path.unlink(missing_ok=True)  # while it is held: what another process makes now is its own
        lock.release()


def sweep_locks(folder: Path) -> None:
    """Remove from `folder` the locks of killed processes whose folders are gone."""
    for path in folder.glob("*.lock"):
        if not path.with_suffix("").exists():
            with suppress(Timeout), FileLock(path, timeout=0):
                path.unlink()


def lock_of(folder: Path) -> Path:
    """Path of the file that locks `folder`: beside it."""
    return folder.with_name(f"{folder.name}.lock")
