"""`make repro`: which stages run beside each other, in which order, and what a failure does."""

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from repro import remove_torn_list
from tests.conftest import ROOT
from tests.tiny_project import Project

STAGES = """fingerprint weights encode crop@one crop@two
baselines@one baselines@two ceiling@one
entry@theirs
train_single@two-short evaluate_single@two-short
train@one-short train@one-long evaluate@one-short evaluate@one-long
train_video@one-train evaluate_video@one-train
compare@one compare@two page track"""
FAKE = """#!/bin/sh
if [ "$1" = stage ]; then cat stages.txt; exit; fi
echo "begins $OMP_NUM_THREADS $*" >> calls.txt
case "$TOGETHER $*" in "2 "*baselines@two)  # goes on only once its neighbour has begun
  until grep -q "begins.*baselines@one" calls.txt; do sleep 0.02; done
esac
echo "ends $OMP_NUM_THREADS $*" >> calls.txt
case "$*" in *"$FAILING") exit 3; esac
"""
LANE = "1 --wait-for-lock repro -s"
ROWS = [
    *("baselines@two", "baselines@one", "ceiling@one", "entry@theirs"),
    "train_video@one-train evaluate_video@one-train",
    "train@one-long evaluate@one-long",
    "train@one-short evaluate@one-short",
    "train_single@two-short evaluate_single@two-short",
]
LAST = ["compare@one", "compare@two", "page"]


@dataclass(frozen=True)
class Done:
    """How `repro.py` ended. calls: what the fake dvc was asked, with the number of threads."""

    status: int
    said: str
    calls: list[tuple[str, str]]

    @property
    def begun(self) -> list[str]:
        return [call for what, call in self.calls if what == "begins"]


def _reproduce(folder: Path, *, lanes: str = "1", failing: str = "-") -> Done:
    fake = folder / "bin/dvc"
    fake.parent.mkdir()
    fake.write_text(FAKE)
    fake.chmod(0o755)
    (folder / "stages.txt").write_text("\n".join(STAGES.split()) + "\n")
    path = f"{fake.parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        [sys.executable, str(ROOT / "repro.py"), "--lanes", lanes],
        cwd=folder,
        env={
            **os.environ,
            "PATH": path,
            "FAILING": failing,
            "TOGETHER": lanes,
            "OMP_NUM_THREADS": "8",
        },
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    log = folder / "calls.txt"
    lines = log.read_text().splitlines() if log.exists() else []
    calls = [(what, call) for what, _, call in (line.partition(" ") for line in lines)]
    return Done(done.returncode, done.stderr, calls)


def test_one_lane_runs_everything_in_order(tmp_path: Path) -> None:
    done = _reproduce(tmp_path)
    assert done.status == 0, done.said
    assert done.begun == [
        "8 repro weights encode",
        *(f"{LANE} {row}" for row in ROWS),
        *(f"{LANE} {one}" for one in LAST),
        "8 repro",
    ]


def test_two_lanes_wait_for_each_other_where_they_must(tmp_path: Path) -> None:
    done = _reproduce(tmp_path, lanes="2")
    assert done.status == 0, done.said
    assert sorted(done.begun[1:9]) == sorted(f"{LANE} {row}" for row in ROWS)
    assert sorted(done.begun[9:12]) == sorted(f"{LANE} {one}" for one in LAST)
    rows, tables = ({f"{LANE} {one}" for one in names} for names in (ROWS, LAST))
    at_work: set[str] = set()
    for what, call in done.calls:
        if what == "begins":
            assert not at_work - (tables if call in tables else set()) or call in rows, call
            at_work.add(call)
        else:
            at_work.remove(call)
        assert len(at_work) <= 2


def test_what_all_need_fails_first(tmp_path: Path) -> None:
    done = _reproduce(tmp_path, failing="repro weights encode")
    assert done.status == 3
    assert done.begun == ["8 repro weights encode"]


@pytest.mark.parametrize("lanes", ["1", "2"])
def test_a_failed_training_stops_the_tables_and_not_its_neighbours(
    lanes: str, tmp_path: Path
) -> None:
    done = _reproduce(tmp_path, lanes=lanes, failing="evaluate@one-long")
    assert done.status == 1
    assert "failed, see above: train@one-long evaluate@one-long" in done.said
    assert sorted(done.begun[1:]) == sorted(f"{LANE} {row}" for row in ROWS)
    assert [what for what, _ in done.calls].count("ends") == len(done.begun)


def test_a_failed_page_stops_the_end(tmp_path: Path) -> None:
    done = _reproduce(tmp_path, failing="page")
    assert done.status == 1
    assert done.begun[-1] == f"{LANE} page"


def test_without_a_git_repository_the_next_step_is_said(tmp_path: Path) -> None:
    """DVC would end in its own words, "is not a git repository", and no more."""
    for name in ("repro.py", "stages/__init__.py", "stages/preflight.py", "stages/watch.py"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / name)
    command = [sys.executable, str(tmp_path / "repro.py")]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 1
    assert "is not a git repository" in done.stderr
    assert "git init" in done.stderr
    assert done.stderr.count("\n") == 1


def test_no_lane_at_all_is_refused(tmp_path: Path) -> None:
    done = _reproduce(tmp_path, lanes="0")
    assert done.status == 2
    assert "0 lanes run nothing" in done.said
    assert not done.calls


def test_the_stages_are_those_of_dvc_yaml(tmp_path: Path) -> None:
    """The names by which `repro.py` picks them."""
    listed = subprocess.run(
        [sys.executable, "-m", "dvc", "stage", "list", "--names-only"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split()
    kinds = {name.partition("@")[0] for name in listed}
    picked = {"baselines", "ceiling", "train", "evaluate", "train_video", "evaluate_video"}
    assert kinds >= picked | {"weights", "encode", "compare", "page"}
    trained = {name.removeprefix("train") for name in listed if name.startswith("train")}
    assert trained == {
        name.removeprefix("evaluate") for name in listed if name.startswith("evaluate")
    }


def test_a_list_that_a_killed_dvc_left_half_written_stops_nothing(tmp_path: Path) -> None:
    held = tmp_path / ".dvc/tmp/rwlock"
    held.parent.mkdir(parents=True)
    held.touch()
    done = _reproduce(tmp_path)
    assert (done.status, held.exists()) == (0, False)
    assert "it was removed" in done.said
    held.write_text('{"read": {}, "write": {}}')
    assert not remove_torn_list(tmp_path)
    assert held.exists()


def test_dvc_fails_with_half_of_its_list(tmp_path: Path) -> None:
    """If it does not any more, `remove_torn_list` can go."""
    project = Project(tmp_path)
    (tmp_path / "dvc.yaml").write_text("stages: {made: {cmd: touch made.txt, outs: [made.txt]}}")
    (tmp_path / ".dvc/tmp").mkdir(exist_ok=True)
    (tmp_path / ".dvc/tmp/rwlock").touch()
    assert "rwlock" in project.run("dvc", "repro", fails=True)
    assert remove_torn_list(tmp_path)
    assert project.repro() == ["made"]
