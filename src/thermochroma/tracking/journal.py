"""Journal of the content that has been logged to MLflow, beside its database.

A stage that finds nothing new need not load MLflow, which takes longer than all the rest of a run that
does nothing; hence a module apart from `mlflow_client`.
"""

import hashlib
import json
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

from thermochroma.base.files import sha256, write_text

DATABASE: Final = "mlflow.db"
SERVER: Final = "MLFLOW_TRACKING_URI"
NOTE: Final = ".mlflow.tracked"


def digest_of(files: Iterable[Path]) -> str:
    """SHA-256 over the SHA-256 of each file, in their order."""
    return hashlib.sha256("".join(map(sha256, files)).encode()).hexdigest()


def own_database(root: Path) -> Path | None:
    """Path of the database below `root`; None if a server is named instead, which must always be asked.

    Call it before MLflow is loaded, since MLflow sets the same environment variable.
    """
    return None if os.environ.get(SERVER) else root / DATABASE


def is_tracked(database: Path, content: str) -> bool:
    """Whether `content` has been logged to this database, and not to one that it has replaced."""
    note = database.with_name(NOTE)
    if not (note.is_file() and database.is_file()):
        return False
    told, now = json.loads(note.read_text(encoding="utf-8")), _note(database, content)
    return {**told, "bytes": 0} == {**now, "bytes": 0} and told["bytes"] <= now["bytes"]


def note_tracked(database: Path, content: str) -> None:
    """Note that `content` has been logged to the database."""
    write_text(database.with_name(NOTE), json.dumps(_note(database, content)) + "\n")


def _note(database: Path, content: str) -> dict[str, Any]:
    """Note for `content`. A new database is another file or, where its inode is used again, smaller."""
    status = database.stat()
    file = {"device": status.st_dev, "inode": status.st_ino, "bytes": status.st_size}
    return {"content": content, **file}
