"""What a user or the machine did ends in one sentence; a fault of ours keeps its traceback."""

import errno
import os
import sqlite3
import sys
from importlib import import_module

import pytest

from thermochroma.base.endings import INTERRUPTED, one_sentence
from thermochroma.base.errors import BadInput


def wrapped(problem: Exception) -> Exception:
    """An error that a library raised because of `problem`."""
    outer = RuntimeError("could not write")
    outer.__cause__ = problem
    return outer


@pytest.mark.parametrize(
    ("problem", "words"),
    [
        (BadInput(given="a", needed="b", remedy="c"), "thermochroma: a; b; c."),
        (OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)), "no space is left on the disk"),
        (PermissionError(errno.EACCES, "no", "out/x.png"), r"permission was denied \(out/x.png\)"),
        (OSError(errno.EROFS, "no"), "the disk is read-only"),
        (OSError(errno.EMFILE, "no"), "too many files are open.*ulimit"),
        (MemoryError(), "memory ran out"),
        (RuntimeError("DefaultCPUAllocator: not enough memory: you tried"), "memory ran out"),
        (RuntimeError("CUDA out of memory. Tried to allocate 2 GiB"), "memory ran out"),
        (RuntimeError("write failed: No space left on device"), "no space is left"),
        (sqlite3.OperationalError("database or disk is full"), "no space is left"),
        (sqlite3.OperationalError("attempt to write a readonly database"), "read-only"),
        (sqlite3.OperationalError("database is locked"), "another process keeps the database"),
        (wrapped(OSError(errno.EROFS, "no")), "the disk is read-only"),
    ],
)
def test_it_is_one_sentence_that_says_how_to_go_on(problem: Exception, words: str) -> None:
    with pytest.raises(SystemExit, match=words) as ended, one_sentence(again="run it again"):
        raise problem
    assert isinstance(problem, BadInput) or "run it again" in str(ended.value)
    assert "\n" not in str(ended.value)


@pytest.mark.parametrize("problem", [RuntimeError("ours"), KeyError("ours"), OSError("ours")])
def test_a_fault_of_ours_is_not_hidden(problem: Exception) -> None:
    with pytest.raises(type(problem), match="ours"), one_sentence(again="run it again"):
        raise problem


def test_a_package_that_is_not_installed_is_named_with_the_extra(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "gdown", None)
    with (
        pytest.raises(
            SystemExit, match=r"the package gdown is not .*`pip install 'thermochroma\[full\]'"
        ),
        one_sentence(again="run it again"),
    ):
        import_module("gdown")
    with pytest.raises(ModuleNotFoundError), one_sentence(again="run it again"):
        import_module("thermochroma.nowhere")


def test_a_traceback_can_be_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("THERMOCHROMA_TRACEBACK", "1")
    with pytest.raises(MemoryError), one_sentence(again="run it again"):
        raise MemoryError


def test_an_interrupt_says_how_to_go_on(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended, one_sentence(again="run it again to go on"):
        raise KeyboardInterrupt
    assert ended.value.code == INTERRUPTED
    assert capsys.readouterr().err == "\nthermochroma: interrupted; run it again to go on.\n"
