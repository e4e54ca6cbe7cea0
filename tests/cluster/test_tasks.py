"""A cluster of three machines, started on one, of which one is killed in the middle of a training."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.cluster.toy import JOBS, make_toy, run, turns_in
from tests.conftest import ROOT
from thermochroma.cluster.commands import DVC

pytest.importorskip("ray", reason="pip install -c constraints-cluster.txt -e '.[cluster]'")

PATHS = {
    "PYTHONPATH": f"{ROOT / 'src'}{os.pathsep}{ROOT}",
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_worker_niceness": "0",
}
PATIENCE_SECONDS = 900  # for what takes one minute where nothing else runs
COMMAND = (sys.executable, "-m", "thermochroma.serving.cli", "cluster", "run", "--address")


@pytest.fixture
def cluster() -> Iterator[Any]:
    from ray.cluster_utils import Cluster

    head = {"num_cpus": 0, "include_dashboard": False}
    found = Cluster(initialize_head=True, head_node_args=head)
    yield found
    found.shutdown()


def _machine(cluster: Any, folder: Path, **environment: str) -> Any:
    own = {"THERMOCHROMA_CLUSTER": str(folder), "TOLL": str(folder.parent / "toll")}
    return cluster.add_node(num_cpus=1, env_vars={**PATHS, **own, **environment})


def _begun(address: str, root: Path, *words: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [*COMMAND, address, "--checkpoint-seconds", "1", *words],
        cwd=root,
        env={**os.environ, **PATHS},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def _wait_for_checkpoints(running: subprocess.Popen[str], sent: Path) -> None:
    until = time.monotonic() + PATIENCE_SECONDS
    while {path.parents[1].name for path in sent.glob("*/*/training.pt")} != {*JOBS}:
        assert running.poll() is None and time.monotonic() < until
        time.sleep(0.1)


def test_what_a_lost_machine_trained_goes_on_elsewhere_and_nothing_is_trained_twice(
    tmp_path: Path, cluster: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TOLL", str(tmp_path / "toll alone"))
    root = make_toy(tmp_path / "head")
    lost = _machine(cluster, tmp_path / "one", PAUSE="1")
    _machine(cluster, tmp_path / "two", PAUSE="1")
    running = _begun(cluster.address, root)
    sent = root / ".checkpoints/cluster"
    _wait_for_checkpoints(running, sent)
    cluster.remove_node(lost, allow_graceful=False)
    said, _ = running.communicate(timeout=PATIENCE_SECONDS)
    assert running.returncode == 0, said

    assert (root / "data/page").read_text() == "onetwo"
    turns = {name: turns_in(tmp_path / "toll", name) for name in ("one", "two")}
    whole = [*range(1, 11)]
    (again,) = [
        name
        for name, played in turns.items()
        if played != whole or said.count(f"{name}: began") > 1
    ]
    assert {*turns[again]} == {*whole} and turns[again].count(10) == 1, "to its end once"
    assert turns[again].count(1) == 1, "not from its beginning again"
    assert f"train@toy-{again}: began on" in said and "(attempt 2)" in said
    assert f"| train@toy-{again} |" in said and not [*sent.glob("*/")], "the table; nothing kept"
    assert "state-dump" not in said, "what Ray says of a lost machine goes elsewhere"
    same = make_toy(tmp_path / "alone")
    run(same, *DVC, "repro")
    assert _recorded(root) == _recorded(same)


def test_trainings_end_with_the_head_and_the_same_command_goes_on_with_them(
    tmp_path: Path, cluster: Any
) -> None:
    root = make_toy(tmp_path / "head")
    _machine(cluster, tmp_path / "one", PAUSE="1")
    _machine(cluster, tmp_path / "two", PAUSE="1")
    running = _begun(cluster.address, root)
    _wait_for_checkpoints(running, root / ".checkpoints/cluster")
    running.kill()
    running.communicate()
    time.sleep(10)  # the cluster has to see it
    toll = tmp_path / "toll"
    ended = toll.read_text()
    time.sleep(3)
    assert toll.read_text() == ended, "no training goes on for nobody"
    said, _ = _begun(cluster.address, root).communicate(timeout=PATIENCE_SECONDS)
    assert (root / "data/page").read_text() == "onetwo", said
    for name in ("one", "two"):
        turns = turns_in(toll, name)
        assert turns.count(1) == 1 and turns.count(10) == 1


def test_the_queue_is_trained_on_the_cluster_and_ends_as_experiments(
    tmp_path: Path, cluster: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TOLL", str(tmp_path / "toll alone"))
    root = make_toy(tmp_path / "head")
    run(root, "git", "config", "user.name", "t")
    run(root, "git", "config", "user.email", "t@example.org")
    run(root, *DVC, "repro")
    run(root, *DVC, "exp", "run", "--queue", "--name", "few", "-S", "methods.one=2,3")
    before = (tmp_path / "toll alone").read_text()
    _machine(cluster, tmp_path / "one")
    said, _ = _begun(cluster.address, root, "--queue").communicate(timeout=PATIENCE_SECONDS)
    assert "2 trainings on 2 machines" in said and "few-2.train@toy-one: done on" in said, said
    assert turns_in(tmp_path / "toll", "one") == [*range(1, 11)] * 2
    assert (tmp_path / "toll alone").read_text() == before, "the head trained nothing"
    run(root, *DVC, "exp", "apply", "few-2")
    assert (root / "data/page").read_text() == "oneoneonetwo"


def _recorded(root: Path) -> Any:
    return yaml.safe_load((root / "dvc.lock").read_text())["stages"]
