"""Notes of our own beside the data, in JSON: they lie on a user's disk, so they may be damaged."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from thermochroma.base.reading import reading


def read_note(path: Path, *, remedy: str) -> Mapping[str, Any]:
    """Read a note that was written as JSON. Raises BadInput with `remedy` if it is damaged."""
    with reading(path, needed="the note that the download has written", remedy=remedy):
        found = json.loads(path.read_text(encoding="utf-8"))
        if not isinstance(found, dict):
            raise TypeError(f"a {type(found).__name__} where names and values are expected")
        return found
