"""`make ui`: what is seen to before MLflow's server starts."""

import os
import socket
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from urllib.parse import parse_qs

import pytest

import ui
from tests.conftest import ROOT


def ran(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(ROOT / "ui.py"), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)


def test_a_taken_port_is_said_and_is_no_success() -> None:
    with socket.socket() as other:
        other.bind((ui.HOST, 0))
        other.listen()
        port = other.getsockname()[1]
        done = ran("--port", str(port))
    assert done.returncode == 1
    assert done.stderr.startswith(f"thermochroma: port {port} cannot be used")
    assert "make ui" in done.stderr
    assert done.stderr.count("\n") == 1


def test_a_second_start_is_no_success_before_the_first_one_listens(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    holder = "import sys, ui; print(ui.claim_problem(5001), flush=True); sys.stdin.read()"
    first = [sys.executable, "-c", holder]
    with subprocess.Popen(
        first, cwd=ROOT, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "\n", "claimed"
        done = ran("--port", "5001")
        process.communicate("")
    assert done.returncode == 1
    assert done.stderr.startswith("thermochroma: port 5001 cannot be used (another start of this")
    assert done.stderr.count("\n") == 1


def test_no_port_is_refused() -> None:
    done = ran("--port", "70000")
    assert done.returncode == 2
    assert "70000 is no port" in done.stderr


@pytest.fixture
def started(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """The commands that `ui` becomes, in a project at `tmp_path`."""
    commands: list[list[str]] = []
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    monkeypatch.setenv("MLFLOW_SERVER_ENABLE_JOB_EXECUTION", "true")  # taken back at the end
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(ui.preflight, "ROOT", tmp_path)
    monkeypatch.setattr(ui, "port_problem", lambda port: "")
    monkeypatch.setattr(ui, "claim_problem", lambda port: "")
    monkeypatch.setattr(ui, "make_tables", lambda database: None)
    monkeypatch.setattr(sys, "argv", ["ui.py", "--port", "5001"])
    monkeypatch.setattr(os, "execv", lambda _, command: commands.append(command))
    return commands


def test_it_opens_the_database_of_the_project_or_the_server(
    started: list[list[str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ui.main()
    assert f"sqlite:///{tmp_path}/mlflow.db" in started[0]
    assert started[0][-4:] == ["--port", "5001", "--workers", "1"]
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:9")
    (tmp_path / "mlflow.db").write_text("no database, and not asked")
    ui.main()
    assert "http://127.0.0.1:9" in started[1]


def test_it_prints_where_the_runs_are_listed(
    started: list[list[str]], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with closing(sqlite3.connect(tmp_path / "mlflow.db")) as store, store:
        columns = "experiment_id INTEGER, name TEXT, artifact_location TEXT, lifecycle_stage TEXT"
        store.execute(f"CREATE TABLE experiments ({columns})")
        known = [(0, "Default", "active"), (1, "sample", "active"), (2, "old", "deleted")]
        for number, name, stage in known:
            store.execute("INSERT INTO experiments VALUES (?, ?, '', ?)", [number, name, stage])
    ui.main()
    (line,) = capsys.readouterr().out.splitlines()
    address = line.removeprefix("runs on sample, best test PSNR first: ")
    page, _, query = address.partition("?")
    assert page == "http://127.0.0.1:5001/#/experiments/1/runs"
    assert parse_qs(query, strict_parsing=True) == {
        "searchFilter": ["tags.predicts = 'visible'"],
        "orderByKey": ["metrics.`evaluation/test/psnr`"],
        "orderByAsc": ["false"],
    }


def test_a_damaged_database_ends_in_one_sentence(started: list[list[str]], tmp_path: Path) -> None:
    (tmp_path / "mlflow.db").write_bytes(bytes(range(256)) * 8)
    with pytest.raises(SystemExit, match=r"mlflow.db cannot be used .* `rm .*mlflow.db\*`"):
        ui.main()
    assert not started
