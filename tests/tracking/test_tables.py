"""A new database: one process makes the tables, and others wait for them."""

import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
from filelock import Timeout

from tests.conftest import ROOT
from thermochroma.tracking import tables

START = """
import sys
from pathlib import Path
from thermochroma.tracking.tables import make_tables
print("ready", flush=True)
sys.stdin.readline()
make_tables(Path(sys.argv[1]))
print("mlflow" in sys.modules)
"""


def test_two_first_starts_at_once_make_one_set_of_tables(tmp_path: Path) -> None:
    command = [sys.executable, "-c", START, str(tmp_path / "mlflow.db")]
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "src")}
    pipes = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE)
    starts = [
        subprocess.Popen(command, cwd=tmp_path, env=environment, text=True, **pipes)  # type: ignore[call-overload]
        for _ in range(2)
    ]
    for one in starts:
        assert one.stdout.readline() == "ready\n"
    for one in starts:  # both at once
        one.stdin.write("go\n")
        one.stdin.flush()
    told = [one.communicate() for one in starts]
    assert [one.returncode for one in starts] == [0, 0], told
    assert sorted(out for out, _ in told) == ["False\n", "True\n"], (
        "the second one found them there"
    )
    with closing(sqlite3.connect(tmp_path / "mlflow.db")) as store:
        assert len(store.execute("SELECT version_num FROM alembic_version").fetchall()) == 1


def test_who_makes_the_tables_is_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tables, "PATIENCE_SECONDS", 0.1)
    with tables.alone_with(tmp_path), pytest.raises(Timeout, match=r"\.mlflow\.lock"):
        tables.make_tables(tmp_path / "mlflow.db")


def test_a_file_that_is_no_database_is_told(tmp_path: Path) -> None:
    (tmp_path / "mlflow.db").write_bytes(bytes(range(256)) * 8)
    with pytest.raises(sqlite3.DatabaseError):
        tables.make_tables(tmp_path / "mlflow.db")
