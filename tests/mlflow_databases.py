"""MLflow's empty database: made once in a process by all of MLflow's migrations, and then copied."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest


@contextmanager
def made_once(folder: Path) -> Iterator[None]:
    """Let MLflow copy the database that it made first, in place of a hundred changes of its tables."""
    from mlflow.store.db import utils
    from sqlalchemy import Engine, event

    make, first = utils._initialize_tables, folder / "mlflow.db"

    def made(engine: Any) -> None:
        if not first.exists():
            make(engine)
            _copy(Path(engine.url.database), first)
        else:
            _copy(first, Path(engine.url.database))

    event.listen(Engine, "connect", _wait_for_no_disk)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(utils, "_initialize_tables", made)
        yield
    event.remove(Engine, "connect", _wait_for_no_disk)


def _wait_for_no_disk(connection: Any, _record: object) -> None:
    if isinstance(connection, sqlite3.Connection):
        connection.execute("PRAGMA synchronous = OFF")


def _copy(one: Path, other: Path) -> None:
    with closing(sqlite3.connect(one)) as source, closing(sqlite3.connect(other)) as target:
        source.backup(target)
