"""One process at one place: who comes second, who is killed, and who ends and tidies up."""

import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from filelock import FileLock

from thermochroma.base.errors import BadInput
from thermochroma.base.lock import LOCK, exclusive_lock, remove_held
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
    with _holder(tmp_path) as process:
        process.kill()  # SIGKILL: it can tidy up nothing
        with exclusive_lock(tmp_path, patience_seconds=5.0):
            assert (tmp_path / LOCK).is_file()


def test_one_that_is_just_being_killed_is_waited_for(tmp_path: Path) -> None:
    with _holder(tmp_path) as process:
        timer = threading.Timer(0.3, process.kill)
        timer.start()
        with exclusive_lock(tmp_path, patience_seconds=10.0):
            pass
        timer.join()


def test_the_hold_ends_when_the_work_fails(tmp_path: Path) -> None:
    with pytest.raises(KeyError), exclusive_lock(tmp_path):
        raise KeyError
    with exclusive_lock(tmp_path, patience_seconds=0.0):
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
    assert seen == [[LOCK]]
    assert not list(tmp_path.iterdir())


def test_a_folder_that_is_taken_while_it_goes_stays(tmp_path: Path) -> None:
    folder = tmp_path / "crop-x-1"
    rmdir, other = Path.rmdir, FileLock(folder / LOCK)

    def rmdir_after_another_came(path: Path) -> None:
        other.acquire(timeout=0)
        rmdir(path)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Path, "rmdir", rmdir_after_another_came)
        with exclusive_lock(folder):
            remove_held(folder)
    with pytest.raises(BadInput), exclusive_lock(folder, patience_seconds=0.0):
        pass
    other.release()
