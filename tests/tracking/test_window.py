"""MLflow may cost no training: whatever it raises is said once, and `track` fills in later."""

import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from thermochroma.base.errors import BadInput
from thermochroma.tracking import mlflow_client, places
from thermochroma.tracking.mlflow_client import WEIGHTS, Tracker
from thermochroma.tracking.patience import HURRY
from thermochroma.tracking.window import Window, open_window

TAGS = {"dataset": "d", "method": "m"}
SERVER = "MLFLOW_TRACKING_URI"


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """MLflow's variables as a user has them: none; what is set meanwhile is taken away."""
    for name in (SERVER, *HURRY):
        monkeypatch.setenv(name, "")
        monkeypatch.delenv(name)
    monkeypatch.setattr(places, "PATIENCE_SECONDS", 0.1)


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with an empty experiment `d`: MLflow takes seconds to make its tables."""
    root = tmp_path_factory.mktemp("template")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(SERVER, "")
        patch.delenv(SERVER)
        Tracker("d", root=root)
    return root


@pytest.fixture
def root(tmp_path: Path, template: Path) -> Path:
    """A copy of that project."""
    return Path(shutil.copytree(template, tmp_path / "copy"))


@contextmanager
def window(root: Path) -> Iterator[Window]:
    with open_window("d", "f", root=root, name="m", tags=TAGS) as opened:
        yield opened


def told(run: Window) -> None:
    """All that a training tells, but the model, which takes long."""
    run.log_params({"lr": 0.1})
    run.log_origin(data="1", code="2")
    run.log_rows([{"images": 1.0, "x": 2.0}])
    run.log_panel(np.zeros((4, 4, 3), np.uint8), images=1)
    run.finish("abc")


def refused(root: Path, patch: pytest.MonkeyPatch) -> None:
    patch.setenv(SERVER, "http://someone:secret@127.0.0.1:9")
    patch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")


def in_a_file_store(root: Path, patch: pytest.MonkeyPatch) -> None:
    patch.setenv(SERVER, (root / "store").as_uri())


def no_address(root: Path, patch: pytest.MonkeyPatch) -> None:
    patch.setenv(SERVER, "nonsense://there")


def silent_database(root: Path, patch: pytest.MonkeyPatch) -> None:
    patch.setenv(SERVER, "postgresql://someone:secret@127.0.0.1:9/runs")


def damaged(root: Path, patch: pytest.MonkeyPatch) -> None:
    (root / "mlflow.db").write_bytes(bytes(range(256)) * 8)


def a_folder(root: Path, patch: pytest.MonkeyPatch) -> None:
    (root / "mlflow.db").unlink()
    (root / "mlflow.db").mkdir()


FAULTS = {refused: "start it", in_a_file_store: "unset MLFLOW_TRACKING_URI", no_address: "unset"}
FAULTS |= {silent_database: "start it, or change or unset MLFLOW_TRACKING_URI"}
FAULTS |= {damaged: "rm .*mlflow.db.*dvc repro track", a_folder: "mlflow.db.*dvc repro track"}


@pytest.mark.parametrize(("spoil", "remedy"), FAULTS.items())
def test_the_training_goes_on_and_says_so_once(
    spoil: Callable[[Path, pytest.MonkeyPatch], None],
    remedy: str,
    root: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """mlflow/mlflow#1760, radixark/miles#2571: a server that was away ended the training."""
    spoil(root, monkeypatch)
    with window(root) as run:
        told(run)
    said = capsys.readouterr().err.strip().splitlines()
    assert [line.count("thermochroma: ") for line in said] == [1, 1]
    assert "the training goes on, but MLflow is no longer told" in said[0]
    assert "`dvc repro track` fills it in" in said[1]
    assert "secret" not in said[0]
    with pytest.raises(BadInput, match=remedy) as sentence:  # what `track` ends with
        Tracker("d", root=root)
    assert "secret" not in str(sentence.value)


def test_a_locked_database_is_waited_for_and_no_more(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with closing(sqlite3.connect(root / "mlflow.db", isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        with window(root) as run:
            told(run)
    assert "another process keeps the database locked" in capsys.readouterr().err


def test_a_fault_in_the_midst_ends_the_telling_and_the_run_is_found_again(
    root: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    calls = []

    def fails(self: Tracker, run_id: str, rows: object) -> None:
        calls.append(rows)
        raise OSError("gone")

    with monkeypatch.context() as patch:  # no `undo`: it would bring variables of other tests back
        patch.setattr(mlflow_client.Tracker, "log_rows", fails)
        with window(root) as run:
            for _ in range(3):
                told(run)
    assert len(calls) == 1
    assert capsys.readouterr().err.count("OSError: gone") == 1
    found = Tracker("d", root=root).find(**TAGS, **{WEIGHTS: "abc"})
    assert found is not None
    assert found.info.status == "FINISHED"


@pytest.mark.parametrize("problem", [ValueError("of the training"), KeyboardInterrupt()])
def test_what_the_training_raises_is_raised(
    problem: BaseException,
    root: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(type(problem)) as sound, window(root):
        raise problem
    assert sound.value is problem
    assert "no longer told" not in capsys.readouterr().err
    found = Tracker("d", root=root).find(**TAGS)
    assert found is not None
    assert found.info.status == "FAILED"

    def ends(*_: Any) -> None:
        raise OSError("gone")

    monkeypatch.setattr(mlflow_client.mlflow.ActiveRun, "__exit__", ends)
    with pytest.raises(type(problem)) as spoilt, window(root):
        raise problem
    mlflow_client.mlflow.end_run()
    assert spoilt.value is problem
    assert "MLflow is no longer told: OSError: gone" in capsys.readouterr().err


def test_a_server_is_not_waited_for_in_minutes_unless_the_user_says_so(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from mlflow.environment_variables import (
        MLFLOW_HTTP_REQUEST_MAX_RETRIES as RETRIES,
    )
    from mlflow.environment_variables import (
        MLFLOW_HTTP_REQUEST_TIMEOUT as TIMEOUT,
    )

    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_TIMEOUT", "77")
    Tracker("d", root=root)
    assert (TIMEOUT.get(), RETRIES.get()) == (77, int(HURRY[RETRIES.name]))


def test_a_deleted_experiment_is_restored(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """mlflow/mlflow#6445: "Cannot set a deleted experiment as the active experiment"."""
    tracker = Tracker("d", root=root)
    tracker.client.delete_experiment(tracker.experiment)
    with window(root) as run:
        told(run)
    said = capsys.readouterr().err
    assert said.count("`d` had been deleted; it is restored") == 1
    assert "no longer" not in said
    assert Tracker("d", root=root).find(**TAGS, **{WEIGHTS: "abc"}) is not None
