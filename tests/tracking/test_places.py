"""Where MLflow's files lie: beside the database, wherever the project is."""

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from thermochroma.tracking.journal import DATABASE, is_tracked, note_tracked, own_database
from thermochroma.tracking.lineage import lineage
from thermochroma.tracking.mlflow_client import Tracker
from thermochroma.tracking.places import NOTED, address_of, mend_places

TAGS = {"dataset": "d", "method": "m"}


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "")
    monkeypatch.delenv("MLFLOW_TRACKING_URI")


def files_of(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


def database_with(folder: Path, rows: dict[str, list[str]]) -> Path:
    """A database with MLflow's tables of places alone."""
    folder.mkdir()
    with closing(sqlite3.connect(folder / DATABASE)) as store, store:
        for table in dict(NOTED):
            columns = [column for name, column in NOTED if name == table]
            store.execute(f"CREATE TABLE {table} ({', '.join(columns)})")
            for place in rows.get(table, []):
                marks = ", ".join("?" * len(columns))
                store.execute(f"INSERT INTO {table} VALUES ({marks})", [place] * len(columns))
    return folder / DATABASE


def places_in(database: Path) -> set[str]:
    with closing(sqlite3.connect(database)) as store:
        found = [
            store.execute(f"SELECT {column} FROM {table}").fetchall() for table, column in NOTED
        ]
    return {place for rows in found for (place,) in rows}


def test_a_copied_project_writes_nothing_into_the_old_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """mlflow/mlflow#3144: its artifacts are looked for where the project was.

    The folders have letters that mean something else in the address of a database.
    """
    old, new = tmp_path / "old ø", tmp_path / "new?x#50%20y"
    note = tmp_path / "note.txt"
    note.write_text("words")
    tracker = Tracker("d", root=old)
    run_id = tracker.add(name="m", tags=TAGS)
    other = tracker.add(name="other", tags=TAGS)
    tracker.log_file(other, note, folder="one")  # of the first run MLflow would remember the place
    assert "before" not in capsys.readouterr().err
    shutil.copytree(old, new)
    kept = files_of(old)
    monkeypatch.chdir(new)
    monkeypatch.delenv("MLFLOW_TRACKING_URI")
    copied = Tracker("d", root=Path.cwd())
    assert f"was at {old} before" in capsys.readouterr().err
    for run in (run_id, copied.add(name="third", tags=TAGS)):
        copied.log_file(run, note, folder="two")
    assert files_of(old) == kept
    assert len([name for name in files_of(new) if name.endswith("two/note.txt")]) == 2
    Tracker("d", root=Path.cwd())
    assert not capsys.readouterr().err
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(
        (old.name, new.name, note.name)
    )


def test_every_noted_place_is_mended_and_foreign_ones_are_left(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    here = tmp_path / "a b"
    foreign = {"s3://bucket/mlruns/d", "/elsewhere/d", "models:/m-1", "file:///old/mlruns2/d"}
    ours = {"file:///old/mlruns/d", "/old/mlruns/0", f"{here.as_uri()}/mlruns/e"}
    below = ["file:///old/mlruns/d/1/artifacts", *foreign]
    tables = dict.fromkeys(dict(NOTED), below) | {"experiments": [*ours, *foreign]}
    mend_places(database_with(here, tables))
    mended = {f"{here.as_uri()}/mlruns/{name}" for name in ("d", "e", "d/1/artifacts")}
    assert places_in(here / DATABASE) == {*mended, f"{here}/mlruns/0", *foreign}
    assert capsys.readouterr().err.count("this project was at /old before") == 1
    mend_places(here / DATABASE)
    assert not capsys.readouterr().err


def test_a_database_that_is_not_there_yet_is_no_fault(tmp_path: Path) -> None:
    mend_places(tmp_path / DATABASE)
    assert not (tmp_path / DATABASE).exists()
    (tmp_path / DATABASE).touch()  # made, and nothing written yet
    mend_places(tmp_path / DATABASE)


def test_the_address_is_told_from_a_server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """MLflow sets the variable itself; the second data set of a `track` still has its own database."""
    database = tmp_path / DATABASE
    monkeypatch.setenv("MLFLOW_TRACKING_URI", address_of(database))
    assert own_database(tmp_path) == database
    assert own_database(tmp_path / "other") is None


def test_a_moved_project_is_asked_again(tmp_path: Path) -> None:
    old = tmp_path / "old"
    database_with(old, {})
    note_tracked(old / DATABASE, "content")
    assert is_tracked(old / DATABASE, "content")
    new = old.rename(tmp_path / "new")
    assert not is_tracked(new / DATABASE, "content")


@pytest.mark.parametrize("content", ["", "{", "[]", "3", '{"bytes": "many"}', "\udcff"])
def test_a_damaged_note_is_said_and_is_none(
    content: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    database = database_with(tmp_path / "one", {})
    note_tracked(database, "content")
    note = database.with_name(".mlflow.tracked")
    note.write_bytes(content.encode(errors="surrogateescape"))
    assert not is_tracked(database, "content")
    assert ("everything is logged again" in capsys.readouterr().err) == (
        content != '{"bytes": "many"}'
    )
    note_tracked(database, "content")
    assert is_tracked(database, "content")


def test_a_machine_without_git_has_no_commit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    monkeypatch.delenv("DVC_EXP_BASELINE_REV", raising=False)
    assert "git.commit" not in lineage(dataset="d")
