"""Files and folders that appear whole or not at all."""

import hashlib
import os
import re
import secrets
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import cache, partial
from pathlib import Path
from typing import Final

try:
    import fcntl
except ImportError:  # Windows: there nothing is held, and so nothing is swept
    fcntl = None  # type: ignore[assignment]

CHUNK_BYTES = 1 << 20
PART: Final = re.compile(r"\.part-(.+-)?held-[0-9a-f]{16}(\.[^.]*)?")
"""Names of files and folders that are being written."""


@contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """Give a temporary path beside `path`; it takes the place of `path` when the block ends well.

    The temporary name keeps the suffix, for writers that choose a format by it.
    """
    make_place(path.parent)
    part, handle = _held(path.parent / ".part-held-", path.suffix, _new_file)
    try:
        yield part
        with part.open(
            "rb" if handle is not None else "r+b"
        ) as written:  # Windows asks for the right
            os.fsync(written.fileno())
        part.replace(path)
    finally:
        _let_go(handle)
        part.unlink(missing_ok=True)


@contextmanager
def whole_folder(folder: Path) -> Iterator[Path]:
    """Give an empty folder beside `folder`; it takes the place of `folder` when the block ends well."""
    make_place(folder.parent)
    part, handle = _held(folder.with_name(f".part-{folder.name}-held-"), "", _new_folder)
    try:
        yield part
        _open_up(part)
        if folder.exists():
            remove_folder(folder)
        part.replace(folder)
    finally:
        _let_go(handle)
        shutil.rmtree(part, ignore_errors=True)


def remove_folder(folder: Path) -> None:
    """Remove a folder at once: a kill on the way leaves nothing in its place, and the rest to a sweep."""
    doomed = folder.with_name(f".part-{folder.name}-held-{secrets.token_hex(8)}")
    handle = _opened(folder, "O_DIRECTORY", "O_NOFOLLOW")
    try:
        with suppress(OSError):
            _hold(handle)  # no other process helps to remove it
        folder.replace(doomed)
        shutil.rmtree(doomed)
    finally:
        _let_go(handle)


def make_place(folder: Path) -> None:
    """Make a folder to write into; the first time in this process, clear it of what killed ones left."""
    folder.mkdir(parents=True, exist_ok=True)
    _sweep_once(folder.absolute())


@cache
def _sweep_once(folder: Path) -> None:
    sweep(folder)


def sweep(folder: Path) -> None:
    """Remove from `folder` what killed processes were writing; what is being written is held, and stays."""
    if fcntl is None:
        return
    with os.scandir(folder) as entries:
        parts = [Path(entry.path) for entry in entries if PART.fullmatch(entry.name)]
    for part in parts:
        with suppress(OSError):  # held, finished meanwhile, or on a disk that knows no locks
            handle = os.open(part, os.O_RDONLY)
            try:
                _hold(handle)
                if part.is_dir():
                    shutil.rmtree(part)
                else:
                    part.unlink()
            finally:
                os.close(handle)


def _held(start: Path, suffix: str, make: Callable[[Path], int | None]) -> tuple[Path, int | None]:
    """A new file or folder that no sweep removes while the returned handle, if there is one, is open."""
    while True:
        part = start.with_name(f"{start.name}{secrets.token_hex(8)}{suffix}")
        handle = make(part)
        with suppress(OSError):  # a disk that knows no locks: there nothing is swept
            _hold(handle)
        if part.exists():
            return part, handle
        _let_go(handle)  # a sweep came between making and holding


def _open_up(folder: Path) -> None:
    """Give files that a library made for its owner alone the mode that the user's umask leaves."""
    left = folder.stat().st_mode & 0o666
    for path in folder.rglob("*"):
        if path.is_file() and not path.is_symlink() and left & ~(mode := path.stat().st_mode):
            path.chmod(mode | left)


def _new_file(path: Path) -> int | None:
    """With the mode that the user's umask leaves, as if it had been made in its place."""
    handle = os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o666)
    if fcntl is not None:
        return handle
    os.close(handle)  # Windows renames no file that is open
    return None


def _new_folder(path: Path) -> int | None:
    path.mkdir()
    return _opened(path)


def _opened(folder: Path, *flags: str) -> int | None:
    """Handle of a folder, to hold it by; None on Windows, which opens none. flags: names in `os`."""
    if fcntl is None:
        return None
    return os.open(folder, sum((getattr(os, name) for name in flags), os.O_RDONLY))


def _hold(handle: int | None) -> None:
    if handle is not None:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)


def _let_go(handle: int | None) -> None:
    if handle is not None:
        os.close(handle)


def write_text(path: Path, text: str) -> None:
    """Write UTF-8 text, whole or not at all."""
    with whole_file(path) as part:
        part.write_text(text, encoding="utf-8")


def sha256(path: Path) -> str:
    """The SHA-256 of a file's bytes, in hexadecimal."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def md5(path: Path) -> str:
    """The MD5 of a file's bytes, in hexadecimal; to find it in another program's list, not to trust it."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, partial(hashlib.md5, usedforsecurity=False)).hexdigest()


def seed_of(*parts: object) -> int:
    """A 63-bit seed that depends on nothing but its parts, on every machine.

    Python's own `hash` differs from process to process, so it cannot seed anything reproducible.
    """
    text = "\x1f".join(str(part) for part in parts)
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") >> 1
