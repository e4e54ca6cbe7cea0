"""Checkpoints on their way: what a worker sends while it trains, and another goes on from."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Event, Thread
from typing import Final

from thermochroma.base.files import PART, whole_file

Files = dict[str, bytes]
"""Contents of files by their paths, relative to the folder of checkpoints."""
LAST: Final = "training.pt"
LEFT: Final = ("before.pt", ".lock")
"""Endings of names of files that stay where they are."""


def files_in(folder: Path) -> Files:
    """Contents of all files that a training goes on from.

    The checkpoint is read first: what lies beside it is written before it, so that it is never older.
    """
    paths = sorted(_paths(folder), key=lambda path: path.name != LAST)
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths}


def put_files(files: Files, folder: Path) -> None:
    """Write files into `folder`, each whole or not at all."""
    for name, content in files.items():
        with whole_file(folder / name) as part:
            part.write_bytes(content)


@contextmanager
def sending(
    folder: Path, send: Callable[[Files], object], *, every_seconds: float
) -> Iterator[None]:
    """Send the files in `folder` while the block runs, whenever they have changed, and not more often."""
    ended = Event()
    thread = Thread(target=_send_changes, args=(folder, send, ended, every_seconds), daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def _send_changes(
    folder: Path, send: Callable[[Files], object], ended: Event, every_seconds: float
) -> None:
    sent = _state(folder)  # what was there before came from where it would be sent to
    while not ended.wait(every_seconds):
        # replaced while it was read, or the receiver is away for a moment: the next round has it
        with suppress(FileNotFoundError, ConnectionError):
            if (now := _state(folder)) != sent:
                send(files_in(folder))
                sent = now


def _state(folder: Path) -> set[tuple[str, int, int]]:
    stats = ((str(path), path.stat()) for path in _paths(folder))
    return {(path, stat.st_mtime_ns, stat.st_size) for path, stat in stats}


def _paths(folder: Path) -> list[Path]:
    return [
        path
        for path in folder.rglob("*")
        if path.is_file()
        and not path.name.endswith(LEFT)
        and not any(PART.fullmatch(part) for part in path.relative_to(folder).parts)
    ]
