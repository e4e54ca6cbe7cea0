"""Whatever a library raises on a user's file becomes one sentence that names the file."""

import errno
from pathlib import Path

import pytest

from thermochroma.base.errors import BadInput
from thermochroma.base.reading import LONGEST, reading


def test_the_sentence_says_what_is_wrong_with_the_file(tmp_path: Path) -> None:
    empty, junk = tmp_path / "empty", tmp_path / "junk"
    empty.touch()
    junk.write_bytes(b"\0junk")
    for path, problem, words in [
        (tmp_path / "none", FileNotFoundError(), "none does not exist"),
        (tmp_path, IsADirectoryError(), "is a folder"),
        (empty, EOFError("Ran out of input"), "empty is empty"),
        (junk, PermissionError(), r"junk may not be opened by you \(permission denied\)"),
        (junk, MemoryError(), "junk asks for more memory than this machine has"),
        (junk, KeyError("weights"), r"junk cannot be read \(KeyError: 'weights'\)"),
        (junk, OverflowError("much\n  too large"), r"\(OverflowError: much too large\)"),
        (junk, RecursionError(), r"\(RecursionError\)"),
    ]:
        with (
            pytest.raises(BadInput, match=f"{words}; a sound file; give another"),
            reading(path, needed="a sound file", remedy="give another"),
        ):
            raise problem


def test_long_words_are_cut(tmp_path: Path) -> None:
    with pytest.raises(BadInput) as caught, reading(tmp_path / "x", needed="n", remedy="r"):
        (tmp_path / "x").touch()
        (tmp_path / "x").write_text("x")
        raise ValueError("w" * 10_000)
    assert len(caught.value.given) < LONGEST + len(str(tmp_path)) + 50


@pytest.mark.parametrize(
    "problem", [OSError(errno.ENOSPC, "full"), OSError(errno.EMFILE, "many"), KeyboardInterrupt()]
)
def test_what_is_not_the_fault_of_the_file_passes(problem: BaseException, tmp_path: Path) -> None:
    with pytest.raises(type(problem)) as caught, reading(tmp_path, needed="n", remedy="r"):
        raise problem
    assert caught.value is problem
