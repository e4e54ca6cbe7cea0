"""One process at one place: long work in a folder is held, so that two never do it at once."""

import fcntl
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, TextIO

from thermochroma.base.errors import BadInput

LOCK: Final = "lock"


@contextmanager
def alone(folder: Path, *, patience_seconds: float = 10.0) -> Iterator[None]:
    """Hold `folder` for this process alone; the hold ends with the process, however it ends.

    One that is just being killed is waited for. Raises BadInput if another process stays at it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / LOCK).open("w") as handle:
        _hold(handle, folder.name, time.monotonic() + patience_seconds)
        yield


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
