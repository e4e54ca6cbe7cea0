"""Every reader of users' files is fed bad ones, and answers in a sentence that names the file."""

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from tests.readers import FEEDERS, OURS, UNFED, Feeder, functions_that_read
from thermochroma.base.errors import BadInput
from thermochroma.base.reading import reading

NOISE = np.random.default_rng(0).bytes(4096)


def _cut(path: Path) -> None:
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])


def _folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


FAULTS: dict[str, Callable[[Path], object]] = {
    "missing": Path.unlink,
    "a folder": _folder,
    "empty": lambda path: path.write_bytes(b""),
    "cut": _cut,
    "garbage": lambda path: path.write_bytes(b'this is no such file\n"{[(:\n'),
    "binary": lambda path: path.write_bytes(NOISE),
    "zeros": lambda path: path.write_bytes(bytes(4096)),
    "a huge head": lambda path: path.write_bytes(b"\xff" * 7 + b"\x7f" + b"{" * 200_000),
}


def test_every_function_that_reads_is_fed_or_says_why_not() -> None:
    found = functions_that_read()
    fed = {name for feeder in FEEDERS.values() for name in feeder.opens}
    unknown = found - fed - set(OURS) - UNFED
    assert not unknown, f"write a feeder in tests/readers.py for {sorted(unknown)}"
    gone = (fed | set(OURS) | UNFED) - found
    assert not gone, f"strike from tests/readers.py, for they read no more: {sorted(gone)}"
    assert not UNFED & (fed | set(OURS))


@pytest.mark.parametrize("name", FEEDERS)
def test_a_right_file_is_read(name: str, tmp_path: Path) -> None:
    FEEDERS[name].read(_made(FEEDERS[name], tmp_path))


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("name", FEEDERS)
def test_a_bad_file_is_one_sentence(name: str, fault: str, tmp_path: Path) -> None:
    feeder = FEEDERS[name]
    path = _made(feeder, tmp_path)
    FAULTS[fault](path)
    _assert_refused(feeder, path)


@pytest.mark.parametrize("name", [name for name, feeder in FEEDERS.items() if feeder.wrong])
def test_other_names_inside_are_one_sentence(name: str, tmp_path: Path) -> None:
    feeder = FEEDERS[name]
    path = _made(feeder, tmp_path)
    assert feeder.wrong is not None
    feeder.wrong(path)
    with pytest.raises(BadInput) as caught:
        feeder.read(path)
    _assert_fits(feeder, caught.value)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read every file")
@pytest.mark.parametrize("name", FEEDERS)
def test_a_file_that_one_may_not_read_is_one_sentence(name: str, tmp_path: Path) -> None:
    path = _made(FEEDERS[name], tmp_path)
    path.chmod(0)
    _assert_refused(FEEDERS[name], path)


def test_permission_is_named_whatever_the_library_calls_it(tmp_path: Path) -> None:
    """As root, too: the error itself is raised."""
    path = tmp_path / "a"
    path.write_bytes(b"a")
    with (
        pytest.raises(BadInput, match=r"may not be opened by you"),
        reading(path, needed="", remedy=""),
    ):
        raise PermissionError(13, "Permission denied", str(path))


def _made(feeder: Feeder, folder: Path) -> Path:
    path = folder / "given" / feeder.file
    path.parent.mkdir()
    feeder.make(path)
    return path


def _assert_refused(feeder: Feeder, path: Path) -> None:
    with pytest.raises(BadInput) as caught:
        feeder.read(path)
    assert path.name in caught.value.given
    _assert_fits(feeder, caught.value)


def _assert_fits(feeder: Feeder, error: BadInput) -> None:
    assert feeder.remedy in error.remedy
    told = str(error)
    assert "\n" not in told
    assert "weights_only" not in told
    if feeder.by_hand:
        assert "params.yaml" not in told
        assert "dvc repro" not in told
