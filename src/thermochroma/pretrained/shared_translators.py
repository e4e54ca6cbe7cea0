"""Translators that somebody has packed with `thermochroma publish`: on disk, or at an address."""

import re
from pathlib import Path
from typing import Final

from thermochroma.base.errors import BadInput
from thermochroma.base.files import sha256
from thermochroma.base.reading import reading
from thermochroma.export.archive import (
    MOST_BYTES,
    NEEDED,
    REMEDY,
    TRANSLATOR,
    refuse_unsound,
    take_out,
)

_ADDRESS: Final = re.compile(r"https?://", re.IGNORECASE)
_HASH: Final = re.compile(r"#sha256=(?P<digits>[^#]*)$")


def is_packed(place: str) -> bool:
    """Whether this names an archive or an address, and no translator by itself."""
    return bool(_ADDRESS.match(place)) or _HASH.sub("", place).lower().endswith(".zip")


def bring_translator(place: str, cache: Path, *, name: str = TRANSLATOR) -> Path:
    """Take the translator out of an archive on disk or at an address; its path below `cache`.

    place: the archive's path or address, with `#sha256=` and 64 digits behind it; of a path these may be
    left out. name: of the file in it, the translator or its ONNX. An archive that was brought before is
    not fetched again. Raises BadInput if the archive is another one, cannot be had, is damaged, or holds
    no such file.
    """
    digits = _digits(place)
    bare = _HASH.sub("", place)
    if _ADDRESS.match(place):
        if digits is None:
            raise BadInput(
                given=f"{place} does not say which archive is meant",
                needed="the SHA-256 that its publisher tells, so that no other file is taken for it",
                remedy=f"write {bare}#sha256= and the 64 digits behind it",
            )
        from thermochroma.data.acquisition.fetch import fetch  # with clients of several services

        archive = cache / f"{digits}.zip"
        by_hand = "get the archive by hand and name its path instead of its address"
        fetch([bare], archive, sha256=digits, most_bytes=MOST_BYTES, by_hand=by_hand)
    else:
        archive = Path(bare)
        with reading(archive, needed=NEEDED, remedy=REMEDY):
            found = sha256(archive)
        if digits not in (None, found):
            raise BadInput(
                given=f"{archive} has the SHA-256 {found}",
                needed=f"{digits}, as you gave it",
                remedy="fetch the archive again, or give the SHA-256 that belongs to it",
            )
        digits = found
    folder = cache / digits
    path = folder / name
    return path if _is_sound(path) else take_out(archive, folder, name=name)


def _is_sound(path: Path) -> bool:
    """Whether the translator was taken out before, and is still as it was written."""
    if not path.is_file():
        return False
    try:
        refuse_unsound(path)
    except BadInput:  # nobody should have to know the cache: it is taken out anew
        return False
    return True


def _digits(place: str) -> str | None:
    """The SHA-256 behind an archive's place; None where there is none."""
    found = _HASH.search(place)
    if found is None:
        return None
    digits = found["digits"].lower()
    if not re.fullmatch(r"[0-9a-f]{64}", digits):
        raise BadInput(
            given=f"the SHA-256 in {place!r} is {found['digits']!r}",
            needed="64 hexadecimal digits",
            remedy="copy it whole from where the archive is published",
        )
    return digits
