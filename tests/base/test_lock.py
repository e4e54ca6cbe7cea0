"""One process at one place: who comes second, who is killed, and who ends and tidies up."""

import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from thermochroma.base.errors import BadInput
from thermochroma.base.lock import exclusive_lock, lock_of
from thermochroma.base.workplace import workplace

HOLD = """
import sys, time
from pathlib import Path
from thermochroma.base.lock import exclusive_lock
with exclusive_lock(Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(60)
"""


@contextmanager
def _holder(folder: Path) -> Iterator[subprocess.Popen[str]]:
    """Another process that holds the folder."""
    command = [sys.executable, "-c", HOLD, str(folder)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "held\n"
            yield process
        finally:
            process.kill()


def test_a_second_process_is_told_so(tmp_path: Path) -> None:
    with (
        _holder(tmp_path / "train-x"),
        pytest.raises(BadInput, match=r"another process is working in the same folder \(train-x\)"),
        exclusive_lock(tmp_path / "train-x", patience_seconds=0.2),
    ):
        pass


def test_a_killed_process_leaves_no_hold(tmp_path: Path) -> None:
    folder = tmp_path / "train-x"
    with _holder(folder) as process:
        process.kill()  # SIGKILL: it can tidy up nothing
        process.wait()
        assert lock_of(folder).is_file()
        with exclusive_lock(folder, patience_seconds=5.0):
            pass
    assert [one.name for one in tmp_path.iterdir()] == ["train-x"]


def test_one_that_is_just_being_killed_is_waited_for(tmp_path: Path) -> None:
    with _holder(tmp_path / "train-x") as process:
        timer = threading.Timer(0.3, process.kill)
        timer.start()
        with exclusive_lock(tmp_path / "train-x", patience_seconds=10.0):
            pass
        timer.join()


def test_the_hold_ends_when_the_work_fails(tmp_path: Path) -> None:
    with pytest.raises(KeyError), exclusive_lock(tmp_path / "train-x"):
        raise KeyError
    with exclusive_lock(tmp_path / "train-x", patience_seconds=0.0):
        pass


def test_who_waits_for_a_workplace_gets_it_empty(tmp_path: Path) -> None:
    folder, seen = tmp_path / "crop-x-1", list[list[str]]()

    def wait() -> None:
        with workplace(folder) as place:
            seen.append(sorted(one.name for one in place.iterdir()))

    waiting = threading.Thread(target=wait)
    with workplace(folder):
        (folder / "shards").mkdir()
        (folder / "shards/0.npy").touch()
        (folder / "done.txt").touch()
        waiting.start()
        waiting.join(0.3)
        assert not seen
    waiting.join()
    assert seen == [[]]
    assert not list(tmp_path.iterdir())


TAKE_TURNS = """
import os, shutil, sys, time
from pathlib import Path
from thermochroma.base.lock import exclusive_lock
folder, inside = Path(sys.argv[1]), Path(sys.argv[2])
print("ready", flush=True)
sys.stdin.readline()
for _ in range(40):
    with exclusive_lock(folder, patience_seconds=60.0):
        os.close(os.open(inside, os.O_CREAT | os.O_EXCL))  # raises if another process is inside
        (folder / "work").touch()
        time.sleep(0.001)
        shutil.rmtree(folder)
        time.sleep(0.001)
        inside.unlink()
"""


def test_three_that_each_remove_the_folder_are_never_inside_together(tmp_path: Path) -> None:
    """One holds and removes it, one waits, one comes new: the hold must outlive the folder."""
    command = [
        sys.executable,
        "-c",
        TAKE_TURNS,
        str(tmp_path / "train-x"),
        str(tmp_path / "inside"),
    ]
    pipe = subprocess.PIPE
    three = [subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True) for _ in range(3)]
    for process in three:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    for process in three:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.close()
    assert [process.wait() for process in three] == [0, 0, 0]
    assert not list(tmp_path.iterdir())
