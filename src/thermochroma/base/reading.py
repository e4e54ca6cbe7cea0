"""From whatever a library raises on a user's file to one sentence that names the file."""

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from pickle import UnpicklingError
from typing import Final

from thermochroma.base.errors import BadInput

OF_THE_MACHINE: Final = {errno.ENOSPC, errno.EDQUOT, errno.EMFILE, errno.ENFILE}
"""Numbers of system errors that no other file would mend: they pass through `reading`."""

LONGEST: Final = 200  # characters of a library's own words that a sentence quotes


@contextmanager
def reading(path: Path, *, needed: str, remedy: str) -> Iterator[None]:
    """Turn whatever is raised in the block into BadInput: `path` cannot be read as what is needed.

    Nobody can list what all libraries raise on damaged files, so the block holds the call of the
    library and nothing of ours. needed: what the file must be ("a safetensors file"). remedy: what the
    user of the command in use can do. A full disk and too many open files pass through, for they are
    not the file's fault; so does BadInput, which says more already.
    """
    try:
        yield
    except BadInput:
        raise
    except Exception as problem:
        if isinstance(problem, OSError) and problem.errno in OF_THE_MACHINE:
            raise
        raise BadInput(given=_fault(path, problem), needed=needed, remedy=remedy) from problem


def quote(problem: BaseException) -> str:
    """Quote an error on one line: its kind and the beginning of its words.

    Of what is no plain tensor, PyTorch says how to load it all the same, by running its code. Nobody is
    told that here.
    """
    if isinstance(problem, UnpicklingError) or "weights_only" in str(problem):
        return "it is damaged, or holds more than tensors: nothing in it was run"
    words = " ".join(str(problem).split())
    short = words if len(words) <= LONGEST else f"{words[: LONGEST - 1]}…"
    return f"{type(problem).__name__}: {short}" if short else type(problem).__name__


def _fault(path: Path, problem: Exception) -> str:
    if isinstance(problem, MemoryError):
        return f"{path} asks for more memory than this machine has"
    if isinstance(problem, PermissionError):
        return f"{path} may not be opened by you (permission denied)"
    if not path.exists():
        return f"{path} does not exist"
    if path.is_dir() and isinstance(problem, OSError):
        return f"{path} is a folder"
    if path.is_file() and path.stat().st_size == 0:
        return f"{path} is empty"
    return f"{path} cannot be read ({quote(problem)})"
