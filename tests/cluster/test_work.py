"""One job on a worker, without Ray: clone, data, results, and a second attempt behind a lost one."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from tests.cluster.toy import JOBS, make_toy, run, turns_in
from tests.conftest import ROOT
from thermochroma.base.lock import exclusive_lock
from thermochroma.cluster.checkpoints import Files
from thermochroma.cluster.commands import DVC
from thermochroma.cluster.jobs import Job
from thermochroma.cluster.ledger import Ledger
from thermochroma.cluster.project import Project, all_jobs, pack, prepare, remote_of, unfinished
from thermochroma.cluster.work import Outcome, Place, work

ONE = Job("train@toy-one", "evaluate@toy-one", ("encode@toy",))


@pytest.fixture
def head(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A head whose data are prepared and pushed."""
    monkeypatch.setenv("TOLL", str(tmp_path / "toll"))
    root = make_toy(tmp_path / "head")
    jobs = all_jobs(root)
    prepare(root, jobs)
    assert [job.train for job in unfinished(root, jobs)] == JOBS
    return root


def _packed(root: Path) -> Project:
    return pack(root, remote=remote_of(root), checkpoints=Path(".checkpoints"))


def _worked(root: Path, ledger: Ledger, *, on: str, every_seconds: float = 60.0) -> Outcome:
    place = Place(on, root.parent / on)
    return work(ONE, _packed(root), ledger, place, environment={}, every_seconds=every_seconds)


def test_a_job_leaves_its_results_in_the_remote_and_nothing_runs_again(head: Path) -> None:
    ledger = Ledger(head / ".checkpoints/cluster")
    done = _worked(head, ledger, on="first")
    assert done.failure == "" and done.ran == [ONE.train, ONE.evaluate]
    assert {path.name for path in (head.parent / "first").iterdir()} == {
        "cache",
        f"{ONE.train}.log",
    }

    again = _worked(head, ledger, on="second")
    assert again.failure == "" and again.ran == [] and again.attempt == 2
    run(head, *DVC, "repro", "--single-item", "--pull", ONE.train, ONE.evaluate)
    assert (head / "data/scores_one").read_text() == "one"
    assert turns_in(head.parent / "toll", "one") == [*range(1, 11)]
    assert [job.train for job in unfinished(head, all_jobs(head))] == ["train@toy-two"]


def test_a_failed_stage_is_an_outcome_with_its_last_words(
    head: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FAILING", "one")
    done = _worked(head, Ledger(head / ".checkpoints/cluster"), on="first")
    assert "one cannot be trained" in done.failure and "first" in done.failure
    assert f"dvc repro --single-item --pull {ONE.train}" in done.failure


def test_two_jobs_of_a_machine_do_not_fill_their_cache_at_a_time(
    head: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("thermochroma.cluster.work.PULL_SECONDS", 0.1)
    with exclusive_lock(head.parent / "first/cache"):
        done = _worked(head, Ledger(head / ".checkpoints/cluster"), on="first")
    assert "working in the same folder (cache)" in done.failure


KILLED = """
import sys
from pathlib import Path
from tests.cluster.test_work import _worked
from thermochroma.cluster.ledger import Ledger

root = Path(sys.argv[1])
_worked(root, Ledger(root / ".checkpoints/cluster"), on="first", every_seconds=0.05)
"""


def _begun_and_checkpointed(head: Path) -> tuple[subprocess.Popen[bytes], Path]:
    """A worker in a process of its own in the middle of a training, and its checkpoint at the head."""
    environment = {**os.environ, "PAUSE": "1.0", "PYTHONPATH": f"{ROOT / 'src'}:{ROOT}"}
    worker = subprocess.Popen([sys.executable, "-c", KILLED, str(head)], env=environment)
    sent = head / ".checkpoints/cluster" / ONE.train / "toy-one-0/training.pt"
    until = time.monotonic() + 120
    while not (sent.exists() and sent.read_text() >= "3"):
        assert worker.poll() is None and time.monotonic() < until
        time.sleep(0.02)
    return worker, sent


@pytest.mark.parametrize("children_first", [False, True], ids=["alone", "behind its children"])
def test_a_second_attempt_goes_on_from_the_last_checkpoint_that_was_sent(
    head: Path, children_first: bool
) -> None:
    lost, sent = _begun_and_checkpointed(head)
    # As Ray ends a task's process whose machine is lost: its children, not theirs, then itself.
    for child in psutil.Process(lost.pid).children() if children_first else ():
        child.kill()
    lost.send_signal(signal.SIGKILL)
    lost.wait()
    kept = int(sent.read_text())
    time.sleep(3)  # it may last half a second until the lost one's stage is killed
    before = turns_in(head.parent / "toll", "one")
    assert before[-1] < 9, "the lost one's stage ended with it"
    ledger = Ledger(head / ".checkpoints/cluster")
    done = _worked(head, ledger, on="second")
    assert done.failure == "" and ONE.train in done.ran
    turns = turns_in(head.parent / "toll", "one")
    assert turns[-1] == 10 and 3 <= kept < 10
    assert turns[len(before) :] == [*range(kept + 1, 11)], "and never came back"


class _TakenForLost(Ledger):
    """Ledger by which another worker begins the job as soon as this one has sent a checkpoint."""

    def keep(self, job: str, attempt: int, files: Files) -> None:
        super().keep(job, attempt, files)
        if len(self.starts[job]) == attempt:
            self.begin(job, "another")


def test_a_worker_that_was_taken_for_lost_ends_its_training_and_pushes_nothing(
    head: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PAUSE", "1.0")
    ledger = _TakenForLost(head / ".checkpoints/cluster")
    done = _worked(head, ledger, on="first", every_seconds=0.05)
    assert "first was taken for lost" in done.failure and done.ran == []
    played = turns_in(head.parent / "toll", "one")
    assert played[-1] < 9, "its training was ended"
    time.sleep(2)
    assert turns_in(head.parent / "toll", "one") == played


def test_what_a_worker_finished_while_it_was_taken_for_lost_is_not_pushed(
    head: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("thermochroma.cluster.work.ASK_SECONDS", 3600.0)
    before = {*(head.parent / "remote").rglob("*")}
    ledger = _TakenForLost(head / ".checkpoints/cluster")
    monkeypatch.setenv("PAUSE", "0.2")
    done = _worked(head, ledger, on="first", every_seconds=0.05)
    assert "first was taken for lost" in done.failure and done.ran == [ONE.train]
    assert {*(head.parent / "remote").rglob("*")} == before


class _Away(Ledger):
    """Ledger that cannot be reached for the first few questions."""

    left: int = 3

    def holds(self, job: str, attempt: int) -> bool:
        if self.left:
            self.left -= 1
            raise ConnectionError("away")
        return super().holds(job, attempt)


def test_a_head_that_is_away_for_a_moment_ends_no_training(
    head: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("thermochroma.cluster.work.ASK_SECONDS", 0.1)
    done = _worked(head, _Away(head / ".checkpoints/cluster"), on="first", every_seconds=0.05)
    assert done.failure == "" and done.ran == [ONE.train, ONE.evaluate]
