"""Files that carry a digest of themselves, so that one that was cut or changed is noticed when read.

The digest is the first 64 bits of a SHA-256 over all bytes of the file, its own digits counted as zeros. It
stands near the beginning, where the format has room for a word: in the head of a table, in the first key
of a JSON object, in the metadata of a file of tensors. Readers of these formats need not know of it.
"""

import hashlib
import json
import re
from collections.abc import Mapping
from io import SEEK_END, BufferedIOBase, BytesIO
from pathlib import Path
from typing import Any, Final

from thermochroma.base.errors import BadInput
from thermochroma.base.files import CHUNK_BYTES, whole_file
from thermochroma.base.reading import reading

DIGITS: Final = 16
BLANK: Final = f"sha256:{'0' * DIGITS}"
"""Placeholder of the digest until `seal` fills it in."""
SEAL: Final = "seal"
"""Key of the digest in JSON."""
WITHIN: Final = 1 << 16  # bytes from the beginning in which the digest stands
REMEDY: Final = (
    "remove it and run `dvc repro`, which restores it or makes it anew; "
    "`thermochroma verify` names whatever else is damaged"
)
"""Remedy for an output of a stage."""

_PLACE: Final = re.compile(rb"sha256:([0-9a-f]{16})")


def seal(path: Path) -> None:
    """Fill in the digest of a file that has BLANK. Raises ValueError if it has none."""
    with path.open("r+b") as stream:
        found = _PLACE.search(stream.read(WITHIN))
        if found is None or found.group().decode() != BLANK:
            raise ValueError(f"{path} has no room for a digest")
        digits = _digest(stream, found.start(1))
        stream.seek(found.start(1))
        stream.write(digits)


def is_whole(stream: BufferedIOBase) -> bool | None:
    """Whether all bytes are those that were written; None if the file carries no digest."""
    stream.seek(0)
    found = _PLACE.search(stream.read(WITHIN))
    return None if found is None else _digest(stream, found.start(1)) == found.group(1)


def refuse_changed(path: Path, stream: BufferedIOBase, *, remedy: str, sealed: bool = True) -> None:
    """Raise BadInput unless all bytes are those that were written.

    sealed: whether every such file carries a digest; else one without is taken as it is.
    """
    whole = is_whole(stream)
    if whole or (whole is None and not sealed):
        return
    fault = (
        "carries no digest of itself"
        if whole is None
        else "was cut or changed after it was written"
    )
    raise BadInput(
        given=f"{path} {fault if stream.seek(0, SEEK_END) else 'is empty'}",
        needed="the file as the stage wrote it",
        remedy=remedy,
    )


def write_json(path: Path, values: Mapping[str, Any]) -> None:
    """Write a JSON object that carries its digest, whole or not at all."""
    with whole_file(path) as part:
        text = json.dumps({SEAL: BLANK, **values}, indent=2)
        part.write_text(text + "\n", encoding="utf-8")
        seal(part)


def read_json(
    path: Path, *, needed: str, remedy: str = REMEDY, sealed: bool = True
) -> dict[str, Any]:
    """Read what `write_json` wrote, without the digest. Raises BadInput if it was cut or changed.

    sealed: whether every such file carries a digest; else one without is taken as it is.
    """
    with reading(path, needed=needed, remedy=remedy):
        content = path.read_bytes()
    refuse_changed(path, BytesIO(content), remedy=remedy, sealed=sealed)
    with reading(path, needed=needed, remedy=remedy):
        values = json.loads(content)
    if not isinstance(values, dict):
        raise BadInput(given=f"{path} holds no mapping", needed=needed, remedy=remedy)
    return {name: value for name, value in values.items() if name != SEAL}


def _digest(stream: BufferedIOBase, start: int) -> bytes:
    """Digits of the digest of a file whose digest starts at `start`."""
    stream.seek(0)
    head = bytearray(stream.read(WITHIN))
    head[start : start + DIGITS] = b"0" * DIGITS
    digest = hashlib.sha256(head)
    while chunk := stream.read(CHUNK_BYTES):
        digest.update(chunk)
    return digest.hexdigest()[:DIGITS].encode()
