"""Files and folders that appear whole, with the user's modes, and without what killed processes leave."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from thermochroma.base.files import sweep, whole_file, whole_folder, write_text

WRITE_BOTH = """
import sys, time
from pathlib import Path
from thermochroma.base.files import whole_file, whole_folder
place = Path(sys.argv[1])
with whole_file(place / "table.csv") as part, whole_folder(place / "images") as folder:
    (folder / "inner").mkdir()
    (folder / "inner/1.png").touch()
    print("writing", flush=True)
    time.sleep(60)
"""


@pytest.fixture
def writer(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """Another process that is writing a file and a folder."""
    command = [sys.executable, "-c", WRITE_BOTH, str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "writing\n"
            yield process
        finally:
            process.kill()


def _names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_what_a_killed_process_left_goes_with_the_next_file(
    tmp_path: Path, writer: subprocess.Popen[str]
) -> None:
    assert [name.startswith(".part-") for name in _names(tmp_path)] == [True, True]
    writer.kill()
    writer.wait()
    write_text(tmp_path / "other.txt", "text")
    assert _names(tmp_path) == ["other.txt"]


def test_what_a_living_process_is_writing_stays(
    tmp_path: Path, writer: subprocess.Popen[str]
) -> None:
    being_written = _names(tmp_path)
    sweep(tmp_path)
    assert _names(tmp_path) == being_written
    write_text(tmp_path / "other.txt", "text")
    assert _names(tmp_path) == [*being_written, "other.txt"]


def test_parts_of_others_stay(tmp_path: Path) -> None:
    """A link or an old folder that `download` has set aside is not held, and no leftover."""
    (tmp_path / ".part-kaist-old").mkdir()
    (tmp_path / ".part-kaistxyz.link").symlink_to(tmp_path)
    sweep(tmp_path)
    assert _names(tmp_path) == [".part-kaist-old", ".part-kaistxyz.link"]


def test_a_block_that_fails_leaves_nothing_and_changes_nothing(tmp_path: Path) -> None:
    write_text(tmp_path / "one.txt", "before")
    with pytest.raises(KeyError), whole_file(tmp_path / "one.txt") as part:
        part.write_text("half")
        raise KeyError
    with pytest.raises(KeyError), whole_folder(tmp_path / "folder"):
        raise KeyError
    assert _names(tmp_path) == ["one.txt"]
    assert (tmp_path / "one.txt").read_text() == "before"


@pytest.mark.parametrize("umask", [0o022, 0o002, 0o077])
def test_modes_are_those_that_the_user_asks_for(tmp_path: Path, umask: int) -> None:
    before = os.umask(umask)
    try:
        write_text(tmp_path / "one.txt", "text")
        with whole_folder(tmp_path / "folder") as part:
            os.close(os.open(part / "of a library", os.O_CREAT, 0o600))
    finally:
        os.umask(before)
    files = [
        (tmp_path / name).stat().st_mode & 0o777 for name in ("one.txt", "folder/of a library")
    ]
    assert files == [0o666 & ~umask] * 2
    assert (tmp_path / "folder").stat().st_mode & 0o777 == 0o777 & ~umask
