"""The end of every command: what a user or the machine did is one sentence, never a traceback."""

import errno
import json
import os
import sqlite3
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from thermochroma.base.errors import BadInput

OURS: Final = ("thermochroma", "stages")
INTERRUPTED: Final = 130  # exit status of a command that Ctrl-C ended: 128 and the signal's number

LAUNCHED: Final = "THERMOCHROMA_LAUNCHED"
"""Environment variable of a process of several, which leaves its last words to who started it."""

_FULL = "no space is left on the disk, or your quota is used up", "room for the outputs"
_SYSTEM: Final = {
    errno.ENOSPC: _FULL,
    errno.EDQUOT: _FULL,
    errno.EACCES: ("permission was denied", "the right to read and write there"),
    errno.EPERM: ("the operation is not permitted", "the right to read and write there"),
    errno.EROFS: ("the disk is read-only", "a disk that can be written"),
    errno.ENOMEM: ("memory ran out", "more memory, or less work at a time"),
    errno.EMFILE: ("too many files are open", "a higher limit (`ulimit -n`)"),
    errno.ENFILE: ("too many files are open on this machine", "fewer programs beside this one"),
    errno.EIO: ("the disk reported an error", "a sound disk"),
    errno.ENAMETOOLONG: ("a name is too long for this disk", "shorter names of files and folders"),
    errno.ENOTDIR: ("a file lies where a folder is needed", "a folder"),
    errno.EEXIST: ("a file lies where a folder is needed", "a folder"),
    errno.EISDIR: ("a folder lies where a file is needed", "a file"),
    errno.ENOENT: ("a file or folder is missing", "all inputs in their place"),
}
"""Number of a system error to what happened and what is needed."""

_IN_WORDS: Final = {
    "No space left on device": errno.ENOSPC,
    "disk is full": errno.ENOSPC,  # SQLite
    "Disk quota exceeded": errno.EDQUOT,
    "Cannot allocate memory": errno.ENOMEM,
    "not enough memory": errno.ENOMEM,  # PyTorch's allocator on the CPU
    "CUDA out of memory": errno.ENOMEM,
    "Read-only file system": errno.EROFS,
    "attempt to write a readonly database": errno.EROFS,  # SQLite
    "Too many open files": errno.EMFILE,
    "Permission denied": errno.EACCES,
}
"""Words of a system error, for libraries in other languages, which pass on its words and no number."""


@contextmanager
def one_sentence(*, again: str) -> Iterator[None]:
    """End the process with one sentence for BadInput, for a fault of the machine, and for Ctrl-C.

    again: how to go on, such as "run `dvc repro` again: what was finished is kept". Everything else is a
    fault of ours and keeps its traceback; with THERMOCHROMA_TRACEBACK=1 everything does.
    """
    try:
        yield
    except KeyboardInterrupt:
        if LAUNCHED not in os.environ:
            sys.stderr.write(f"\nthermochroma: interrupted; {again}.\n")
        sys.exit(INTERRUPTED)
    except Exception as problem:
        sentence = _sentence_on(problem, again)
        if sentence is None or os.environ.get("THERMOCHROMA_TRACEBACK"):
            raise
        if LAUNCHED in os.environ:
            _tell_launcher(sentence)
            sys.exit(1)
        sys.exit(f"thermochroma: {sentence}")


def _tell_launcher(sentence: BadInput) -> None:
    """Leave the sentence to the process that started this one of several, which says it once."""
    parts = {name: getattr(sentence, name) for name in ("given", "needed", "remedy")}
    told = json.dumps({**parts, "at": time.time()})
    file = Path(os.environ["TORCHELASTIC_ERROR_FILE"])
    file.write_text(json.dumps({"message": told}), encoding="utf-8")


def of_the_machine(problem: BaseException | None, again: str) -> BadInput | None:
    """Say in one sentence what the machine lacks; None if the error is none of the machine's.

    Follows the chain of causes, since libraries wrap what the system said.
    """
    while problem is not None:
        if (found := _number(problem)) in _SYSTEM:
            happened, needed = _SYSTEM[found]
            where = f" ({name})" if (name := getattr(problem, "filename", None)) else ""
            return BadInput(
                given=f"{happened}{where}", needed=needed, remedy=f"mend it, then {again}"
            )
        if isinstance(problem, sqlite3.OperationalError) and "locked" in str(problem):
            return BadInput(
                given="another process keeps the database locked",
                needed="one writer at a time",
                remedy=f"wait for it to end, then {again}",
            )
        problem = problem.__cause__ or problem.__context__
    return None


def _sentence_on(problem: Exception, again: str) -> BadInput | None:
    """Sentence on what a user or the machine did; None for a fault of ours."""
    if isinstance(problem, BadInput):
        return problem
    return _missing_package(problem) or of_the_machine(problem, again)


def _missing_package(problem: Exception) -> BadInput | None:
    """Sentence for a package that is not installed: a lean installation has few."""
    if not isinstance(problem, ModuleNotFoundError) or not problem.name:
        return None
    package = problem.name.partition(".")[0]
    if package in OURS:
        return None
    return BadInput(
        given=f"the package {package} is not installed",
        needed="all packages that this command works with",
        remedy="`pip install 'thermochroma[full]'`, or `make setup` in a clone",
    )


def _number(problem: BaseException) -> int | None:
    if isinstance(problem, MemoryError):
        return errno.ENOMEM
    if isinstance(problem, OSError) and problem.errno is not None:
        return problem.errno
    if isinstance(problem, OSError | RuntimeError | sqlite3.Error | ValueError):
        return next((number for words, number in _IN_WORDS.items() if words in str(problem)), None)
    return None
