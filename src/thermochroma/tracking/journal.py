"""Journal of the content that has been logged to MLflow, beside its database.

A stage that finds nothing new need not load MLflow, which takes longer than all the rest of a run that
does nothing; hence a module apart from `mlflow_client`.
"""

import hashlib
import json
import os
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

from thermochroma.base.files import sha256, write_text
from thermochroma.base.reading import quote
from thermochroma.tracking.places import address_of

DATABASE: Final = "mlflow.db"
SERVER: Final = "MLFLOW_TRACKING_URI"
NOTE: Final = ".mlflow.tracked"


def digest_of(files: Iterable[Path]) -> str:
    """SHA-256 over the SHA-256 of each file, in their order."""
    return hashlib.sha256("".join(map(sha256, files)).encode()).hexdigest()


def own_database(root: Path) -> Path | None:
    """Path of the database below `root`; None if a server is named instead, which must always be asked.

    MLflow itself sets the environment variable that names a server, to the database's address.
    """
    database = root / DATABASE
    return database if os.environ.get(SERVER, "") in {"", address_of(database)} else None


def is_tracked(database: Path, content: str) -> bool:
    """Whether `content` has been logged to this database, and not to one that it has replaced.

    A note that cannot be read is none, and is written anew: logging twice changes nothing.
    """
    note = database.with_name(NOTE)
    if not (note.is_file() and database.is_file()):
        return False
    now = _note(database, content)
    try:
        told = json.loads(note.read_text(encoding="utf-8"))
        return {**told, "bytes": 0} == {**now, "bytes": 0} and told["bytes"] <= now["bytes"]
    except Exception as problem:
        sys.stderr.write(
            f"thermochroma: {note} cannot be read ({quote(problem)}); everything is logged again.\n"
        )
        return False


def note_tracked(database: Path, content: str) -> None:
    """Note that `content` has been logged to the database."""
    write_text(database.with_name(NOTE), json.dumps(_note(database, content)) + "\n")


def _note(database: Path, content: str) -> dict[str, Any]:
    """Note for `content`. A new database is another file or, where its inode is used again, smaller.

    A project that has been moved keeps the file, not the folder, and the places in it must be mended.
    """
    status = database.stat()
    file = {"device": status.st_dev, "inode": status.st_ino, "bytes": status.st_size}
    return {"content": content, "folder": str(database.parent.absolute()), **file}
