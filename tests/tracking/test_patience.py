"""A database of the user's that does not answer is waited for in seconds."""

import socket
from pathlib import Path
from typing import Any

import pytest
from mlflow.store.db import utils

from thermochroma.base.errors import BadInput
from thermochroma.tracking.mlflow_client import Tracker
from thermochroma.tracking.patience import ANSWER_SECONDS, HURRY, TRIES, knock


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is set meanwhile is taken away."""
    for name in ("MLFLOW_TRACKING_URI", *HURRY):
        monkeypatch.setenv(name, "")
        monkeypatch.delenv(name)


def test_mlflow_tries_a_database_a_few_times(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make, made = utils.create_sqlalchemy_engine, []

    def counted(uri: str) -> Any:
        made.append(uri)
        return make(uri)

    monkeypatch.setattr(utils, "create_sqlalchemy_engine", counted)
    monkeypatch.setattr(utils.time, "sleep", lambda _: None)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{tmp_path}")  # a folder
    with pytest.raises(BadInput, match=r"unable to open database file.*MLFLOW_TRACKING_URI"):
        Tracker("d", root=tmp_path / "project")
    assert len(made) == TRIES


def test_a_database_server_is_knocked_at_first(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def silent(address: tuple[str, int], timeout: float) -> socket.socket:
        asked.append((*address, timeout))
        raise TimeoutError("timed out")

    monkeypatch.setattr(socket, "create_connection", silent)
    for uri in ("postgresql+psycopg2://me:word@there/db", "mysql+pymysql://there:77/db"):
        with pytest.raises(TimeoutError):
            knock(uri)
    assert asked == [("there", 5432, ANSWER_SECONDS), ("there", 77, ANSWER_SECONDS)]
    for uri in ("sqlite:////a/b.db", "http://there:1", "file:///a", "postgresql:///by_socket"):
        knock(uri)
    assert len(asked) == 2
