"""What MLflow has been told of, noted beside its database: who finds nothing new need not ask it.

Apart from `tracking`, since loading MLflow takes longer than all the rest of a run that does nothing.
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
    """One SHA-256 of many files' contents, in their order."""
    return hashlib.sha256("".join(map(sha256, files)).encode()).hexdigest()


def own_database(root: Path) -> Path | None:
    """The database below `root`; None if a server is named instead, which must always be asked.

    To be called before MLflow is loaded: that sets the variable, too.
    """
    return None if os.environ.get(SERVER) else root / DATABASE


def is_tracked(database: Path, content: str) -> bool:
    """Whether this very database has been told of `content`."""
    note = database.with_name(NOTE)
    if not (note.is_file() and database.is_file()):
        return False
    told, now = json.loads(note.read_text(encoding="utf-8")), _note(database, content)
    return {**told, "bytes": 0} == {**now, "bytes": 0} and told["bytes"] <= now["bytes"]


def note_tracked(database: Path, content: str) -> None:
    """Note that the database has been told of `content`."""
    write_text(database.with_name(NOTE), json.dumps(_note(database, content)) + "\n")


def _note(database: Path, content: str) -> dict[str, Any]:
    """A database made anew is another file or, where the number is used again, a smaller one."""
    status = database.stat()
    file = {"device": status.st_dev, "inode": status.st_ino, "bytes": status.st_size}
    return {"content": content, **file}
