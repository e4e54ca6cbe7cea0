"""What is a task and what is up to date; the table of costs; what is refused, in which sentence."""

import sys
from pathlib import Path
from typing import Any

import pytest

from tests.cluster.toy import JOBS, commit, make_toy, run
from thermochroma.base.errors import BadInput
from thermochroma.cluster import tasks
from thermochroma.cluster.commands import DVC
from thermochroma.cluster.costs import cost_table
from thermochroma.cluster.head import Wish, render, run_lineup
from thermochroma.cluster.jobs import Job, jobs_in, needs_in, prepared, to_do
from thermochroma.cluster.ledger import Ledger, Start
from thermochroma.cluster.project import all_jobs, refuse_changes, remote_of, unfinished
from thermochroma.cluster.work import Outcome

DOT = """strict digraph {
"fingerprint";
"weights";
"encode@a";
"train_single@mine";
"train@a-x";
"train_video@a-z";
"evaluate_single@mine";
"evaluate@a-x";
"evaluate_video@a-z";
"page";
"weights" -> "encode@a";
"weights" -> "train@a-x";
"encode@a" -> "train@a-x";
"encode@a" -> "train_single@mine";
"encode@a" -> "train_video@a-z";
"fingerprint" -> "evaluate@a-x";
"train@a-x" -> "evaluate@a-x";
"weights" -> "evaluate@a-x";
"train_single@mine" -> "evaluate_single@mine";
"train_video@a-z" -> "evaluate_video@a-z";
"evaluate@a-x" -> "page";
}
"""


def test_each_training_is_a_job_with_its_evaluation_and_what_both_read() -> None:
    jobs = jobs_in(needs_in(DOT))
    assert jobs == [
        Job("train_video@a-z", "evaluate_video@a-z", ("encode@a",)),
        Job("train@a-x", "evaluate@a-x", ("weights", "encode@a", "fingerprint")),
        Job("train_single@mine", "evaluate_single@mine", ("encode@a",)),
    ]
    assert prepared(jobs) == ["encode@a", "weights", "fingerprint"]


def test_what_is_up_to_date_is_no_job() -> None:
    jobs = jobs_in(needs_in(DOT))
    changed = {"evaluate@a-x": [], "train_single@mine": [], "page": []}
    assert [job.train for job in to_do(jobs, changed)] == ["train@a-x", "train_single@mine"]


def test_the_table_has_what_each_run_took_and_what_was_tried_before() -> None:
    outcomes = [
        Outcome(
            Job("train@b", "e"),
            "two",
            2,
            {"clone": 2.0, "pull": 9.0, "train": 30.4, "push": 1.0},
            ["train@b"],
        ),
        Outcome(Job("train@a", "e"), "one", 1, {"train": 5.0}),
        Outcome(Job("train@c", "e"), failure="the machine is lost"),
    ]
    starts = {
        "train@a": [Start("one", 100.0)],
        "train@b": [Start("one", 100.0), Start("two", 142.0)],
        "train@c": [Start("one", 100.0)],
    }
    rows = [line.split(" | ") for line in cost_table(outcomes, starts).splitlines()]
    assert [row[0].strip("| ") for row in rows[2:]] == ["train@a", "train@b", "train@c", "all"]
    by_name = {row[0].strip("| "): [cell.strip(" |") for cell in row[1:]] for row in rows}
    assert by_name["train@b"] == ["two", "2", "42", "2", "9", "30", "0", "1", ""]
    assert by_name["train@a"][-1] == "was trained before"
    assert by_name["train@c"][0] == "–" and by_name["train@c"][-1] == "failed"
    assert by_name["all"] == ["", "4", "42", "2", "9", "35", "0", "1", ""]


def test_a_sender_that_was_taken_for_lost_does_not_put_the_newer_checkpoint_back(
    tmp_path: Path,
) -> None:
    ledger = Ledger(tmp_path)
    assert ledger.kept("train@a") == {}
    assert ledger.begin("train@a", "one") == 1
    ledger.keep("train@a", 1, {"a-0/training.pt": b"1", "a-0/snapshots/1.pt": b"s"})
    assert ledger.begin("train@a", "two") == 2
    ledger.keep("train@a", 2, {"a-0/training.pt": b"2"})
    ledger.keep("train@a", 1, {"a-0/training.pt": b"1"})
    assert ledger.kept("train@a") == {"a-0/training.pt": b"2"}
    assert Ledger(tmp_path).kept("train@a"), "it outlives the head"
    ledger.forget("train@a")
    assert ledger.kept("train@a") == {} and not [*tmp_path.iterdir()]


def test_a_remote_of_another_folder_is_told_by_its_whole_path(tmp_path: Path) -> None:
    root = make_toy(tmp_path / "a project")
    run(root, *DVC, "remote", "add", "--quiet", "--local", "--default", "other", "../the other")
    assert remote_of(root).url == str(tmp_path / "the other")
    run(root, *DVC, "config", "--local", "--unset", "core.remote")
    run(root, *DVC, "config", "--unset", "core.remote")
    with pytest.raises(BadInput, match=r"no default remote of DVC.*dvc remote add --default"):
        remote_of(root)


def test_what_is_not_committed_is_refused_but_for_what_dvc_has_recorded(tmp_path: Path) -> None:
    root = make_toy(tmp_path / "head")
    (root / "dvc.lock").touch()
    refuse_changes(root)
    (root / "train.py").write_text("")
    with pytest.raises(BadInput, match=r"1 file .*train\.py.*git add --all && git commit"):
        refuse_changes(root)
    commit(root)
    (root / "new.py").touch()
    with pytest.raises(BadInput, match=r"new\.py"):
        refuse_changes(root)
    with pytest.raises(
        BadInput, match=r"`git status --porcelain` failed .*a git clone in which DVC works"
    ):
        refuse_changes(tmp_path)


def test_what_failed_is_named_and_the_rest_is_finished(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TOLL", str(tmp_path / "toll"))
    root = make_toy(tmp_path / "head")
    run(root, *DVC, "repro", "encode")
    one, two = (Job(name, name.replace("train", "evaluate")) for name in JOBS[::-1])
    with pytest.raises(
        BadInput, match=r"of 2 trainings 1 failed:\n\ntrain@toy-two: no memory"
    ) as caught:
        render(root, [Outcome(one), Outcome(two, failure="no memory")])
    assert "run the command again" in str(caught.value)
    assert [job.train for job in unfinished(root, all_jobs(root))] == [two.train]
    assert not (root / "data/page").exists()
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    render(root, [Outcome(two)])
    assert (root / "data/page").read_text() == "onetwo"
    assert (root / "data/threads").read_text() == "1\n", "as many as `make repro` gives each stage"


def test_a_missing_ray_is_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(BadInput, match=r"package ray is missing.*thermochroma\[cluster\]"):
        run_lineup(tmp_path, Wish("auto", 1, None, 0, 1.0, Path(".checkpoints")), say=print)


class _NoCluster:
    """Ray where none runs."""

    def init(self, **_: Any) -> None:
        raise ConnectionError("Could not find any running Ray instance")


@pytest.mark.parametrize(
    "address",
    ["auto", "ray://elsewhere:10001", "127.0.0.1:1", "nothing", "127.0.0.1:far", "127.0.0.1:99999"],
)
def test_a_missing_cluster_is_one_sentence(address: str) -> None:
    with pytest.raises(BadInput, match="ray start --head"):
        tasks.connect(_NoCluster(), address)


def test_an_address_is_tried_before_ray_does_which_would_wait_for_ever() -> None:
    with pytest.raises(BadInput, match=r"no cluster answers at 127\.0\.0\.1:1 "):
        tasks.connect(None, "127.0.0.1:1")


def test_a_run_that_no_machine_has_room_for_is_refused() -> None:
    machines = [{"CPU": 4.0}, {"CPU": 2.0, "GPU": 1.0}]
    tasks.refuse_too_much(machines, cpus=2, gpus=1)
    with pytest.raises(BadInput, match=r"4 processors and 1 GPU; .*4 and 0, 2 and 1"):
        tasks.refuse_too_much(machines, cpus=4, gpus=1)
