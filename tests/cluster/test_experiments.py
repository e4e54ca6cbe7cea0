"""DVC's queue as jobs, without Ray: a training each, whose result becomes an experiment of DVC's."""

from pathlib import Path

import pytest

from tests.cluster.toy import make_toy, run, turns_in
from thermochroma.base.errors import BadInput
from thermochroma.cluster.commands import DVC
from thermochroma.cluster.experiments import Experiment, Visit, queued
from thermochroma.cluster.head import conclude
from thermochroma.cluster.jobs import Job
from thermochroma.cluster.ledger import Ledger
from thermochroma.cluster.work import Outcome, Place, work


@pytest.fixture
def head(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project that is up to date, with two experiments of one method in its queue."""
    monkeypatch.setenv("TOLL", str(tmp_path / "toll"))
    root = make_toy(tmp_path / "head")
    run(root, "git", "config", "user.name", "t")
    run(root, "git", "config", "user.email", "t@example.org")
    run(root, *DVC, "repro")
    run(root, *DVC, "exp", "run", "--queue", "--name", "few", "-S", "methods.one=2,3")
    (tmp_path / "toll").unlink()
    return root


def _trained(head: Path, on: str) -> tuple[Visit, list[Experiment], list[Outcome]]:
    visit = Visit(head, head / ".dvc/tmp/cluster/clone", Path(".checkpoints"))
    experiments = queued(head)
    ledger = Ledger(head / ".checkpoints/cluster")
    outcomes = []
    for experiment in experiments:
        jobs, project = visit.jobs_of(experiment)
        place = Place(on, head.parent / on)
        outcomes += [
            work(job, project, ledger, place, environment={}, every_seconds=60.0) for job in jobs
        ]
    return visit, experiments, outcomes


def test_what_a_queued_experiment_changes_is_trained_elsewhere_and_ends_as_an_experiment(
    head: Path,
) -> None:
    visit, experiments, outcomes = _trained(head, "first")
    assert [one.name for one in experiments] == ["few-1", "few-2"]
    assert [(one.job.name, one.failure) for one in outcomes] == [
        ("few-1.train@toy-one", ""),
        ("few-2.train@toy-one", ""),
    ]
    toll = (head.parent / "toll").read_text()
    assert turns_in(head.parent / "toll", "one") == [*range(1, 11)] * 2

    conclude(head, visit, experiments, outcomes)
    assert (head.parent / "toll").read_text() == toll, "DVC restored all, and trained nothing"
    for name, scores in (("few-1", "oneone"), ("few-2", "oneoneone")):
        run(head, *DVC, "exp", "apply", name)
        assert (head / "data/scores_one").read_text() == scores
        assert (head / "data/page").read_text() == f"{scores}two"
    assert not (head / ".dvc/tmp/cluster/clone").exists()
    with pytest.raises(BadInput, match=r"no experiment waits.*dvc exp run --queue"):
        queued(head)


def test_the_queue_waits_while_one_of_its_trainings_has_failed(
    head: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FAILING", "one")
    visit, experiments, outcomes = _trained(head, "first")
    with pytest.raises(BadInput, match=r"(?s)few-1\.train@toy-one: .*one cannot be trained.*queue"):
        conclude(head, visit, experiments, outcomes)
    assert [one.name for one in queued(head)] == ["few-1", "few-2"]


def test_workers_are_told_which_experiment_it_is_and_the_head_prepares_its_data(
    head: Path,
) -> None:
    run(head, *DVC, "exp", "run", "--queue", "-S", "shade=1", "-S", "methods.one=2")
    visit = Visit(head, head / ".dvc/tmp/cluster/clone", Path(".checkpoints"))
    few, _, shade = queued(head)
    jobs, project = visit.jobs_of(few)
    commit = run(head, "git", "rev-parse", "HEAD").strip()
    assert project.environment["DVC_EXP_NAME"] == "few-1"
    assert project.environment["DVC_EXP_BASELINE_REV"] == commit
    assert jobs == [Job("train@toy-one", "evaluate@toy-one", ("encode@toy",), experiment="few-1")]

    jobs, project = visit.jobs_of(shade)
    assert [job.train for job in jobs] == ["train@toy-one"], "its data are the same bytes"
    assert "shade: 1" in project.lock
