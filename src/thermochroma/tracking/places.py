"""Places of MLflow's files: the address of the database, and artifacts that lie beside it.

MLflow notes absolute places. In a project that was moved or copied they would still be those of the
old one, and new files would be written there.
"""

import os
import sqlite3
import sys
from contextlib import closing
from pathlib import Path
from typing import Final
from urllib.parse import unquote, urlsplit

ARTIFACTS: Final = "mlruns"
PATIENCE_SECONDS: Final = 10.0
"""Time to wait for another process that writes to the database."""
NOTED: Final = (
    ("experiments", "artifact_location"),
    ("runs", "artifact_uri"),
    ("logged_models", "artifact_location"),
    ("model_versions", "source"),
    ("model_versions", "storage_location"),
)
"""Tables and columns in which MLflow notes absolute places."""
_IN_ADDRESSES: Final = frozenset("?#%")
"""Letters that mean something else in the address of a database than in the name of a folder."""


def address_of(database: Path) -> str:
    """The address by which MLflow opens a database of SQLite.

    Relative to the current folder, which in a stage is the project's, where the path has a letter that
    addresses understand otherwise: there is no way to quote it that all of MLflow reads alike.
    """
    path = str(database.absolute())
    return f"sqlite:///{os.path.relpath(path) if _IN_ADDRESSES & {*path} else path}"


def mend_places(database: Path) -> None:
    """Let all artifacts lie beside the database, and say so if they were noted elsewhere.

    Does nothing if there is no database yet. Raises sqlite3.Error for a file that is none.
    """
    if not database.exists():
        return
    here = database.parent.absolute()
    with closing(sqlite3.connect(database, timeout=PATIENCE_SECONDS)) as store, store:
        tables = {name for (name,) in store.execute("SELECT name FROM sqlite_master")}
        moved = _roots_elsewhere(store, here) if "experiments" in tables else set()
        for old in moved:
            new = here.as_uri() if old.startswith("file:") else str(here)
            for table, column in NOTED:
                if table in tables:
                    _exchange(store, table, column, old=old, new=new)
    # a plain path is that of MLflow's own experiment, "Default", which nothing of ours is in
    if named := [_path(old) for old in sorted(moved) if old.startswith("file:")]:
        sys.stderr.write(
            f"thermochroma: this project was at {', '.join(named)} before; MLflow's artifacts are now "
            f"looked for, and kept, in {here / ARTIFACTS}.\n"
        )


def _roots_elsewhere(store: sqlite3.Connection, here: Path) -> set[str]:
    """Roots of projects in which experiments keep their artifacts, other than this one.

    An experiment whose artifacts lie neither in such a folder nor on this machine stays as it is.
    """
    found = store.execute("SELECT artifact_location FROM experiments").fetchall()
    roots = {
        place.rpartition(f"/{ARTIFACTS}/")[0]
        for (place,) in found
        if place and f"/{ARTIFACTS}/" in place and place.startswith(("file:", "/"))
    }
    return {root for root in roots if Path(_path(root)).resolve() != here.resolve()}


def _exchange(store: sqlite3.Connection, table: str, column: str, *, old: str, new: str) -> None:
    head = f"{old}/{ARTIFACTS}/"
    store.execute(
        f"UPDATE {table} SET {column} = ? || substr({column}, ?) WHERE substr({column}, 1, ?) = ?",
        (f"{new}/{ARTIFACTS}/", len(head) + 1, len(head), head),
    )


def _path(root: str) -> str:
    """The path of a root that may be written as an address."""
    return unquote(urlsplit(root).path) if root.startswith("file:") else root
