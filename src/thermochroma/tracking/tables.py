"""Tables of a new database, which one process makes: two at once would get in each other's way."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Final

from filelock import FileLock

from thermochroma.tracking.places import address_of

LOCK: Final = ".mlflow.lock"
PATIENCE_SECONDS: Final = 60.0
"""Time to wait for another process that makes tables just now: some seconds, many on a busy machine."""


@contextmanager
def alone_with(root: Path) -> Iterator[None]:
    """Wait until no other process of ours opens the database in a folder for the first time."""
    with FileLock(root / LOCK, timeout=PATIENCE_SECONDS):
        yield


def make_tables(database: Path) -> None:
    """Let MLflow make its tables in a new database, or wait for another process that does.

    Where they are there already, MLflow is not even loaded. Raises sqlite3.Error for a file that is no
    database.
    """
    with alone_with(database.parent):
        if _has_tables(database):
            return
        from mlflow import MlflowClient  # takes seconds to import

        MlflowClient(address_of(database)).search_experiments(max_results=1)


def _has_tables(database: Path) -> bool:
    if not database.exists():
        return False
    with closing(sqlite3.connect(database)) as store:
        query = "SELECT name FROM sqlite_master WHERE name = 'experiments'"
        return bool(store.execute(query).fetchall())
