"""Acquire a data set's folders into `raw`: from a local folder, a local archive or the network.

A local folder is not copied: `raw` becomes a symbolic link to it. An archive is unpacked, and a file of
our own inside the folder records its origin; folder and file appear together, so that after a kill at
any moment there is either the old folder or the whole new one.
"""

import json
import os
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

from thermochroma.base.errors import BadInput
from thermochroma.base.files import write_text
from thermochroma.data.acquisition.fetch import fetch
from thermochroma.data.acquisition.ledger import Ledger
from thermochroma.data.acquisition.notes import read_note
from thermochroma.data.acquisition.unpack import is_archive, unpack

ORIGIN = ".origin.json"


def bring(
    raw: Path,
    *,
    name: str,
    source: str | None,
    addresses: Sequence[str],
    holds: Sequence[str],
    max_bytes: int = 64 << 30,
    sha256: str | None = None,
) -> None:
    """Make `raw` contain the folders `holds`, from `source` (folder or archive) or from `addresses`.

    name: the data set's key under `sources:`, for the messages. max_bytes: upper bound of the unpacked
    size, and of a download. sha256: checksum of the archive at `addresses`, where it is known. Does
    nothing if `raw` already comes from there. A folder at `raw` that was not made here is used if it
    contains `holds`, and is never removed.

    Raises BadInput, with nothing changed, if the source is missing, empty, no archive or lacks a
    folder, or if no address answers.
    """
    place = place_of(source, name, _listed(holds))
    if place is not None and place.is_dir():
        _link(raw, _root(place, holds, name), name)
    elif _is_foreign(raw):
        _refuse_foreign(raw, place, holds, name)
    elif place is not None:
        _unpack_once(raw, place, origin_of(place), holds, name, max_bytes)
    else:
        _fetch_once(raw, addresses, holds, name, max_bytes, sha256)


def place_of(source: str | None, name: str, needed: str) -> Path | None:
    """Path in the setting `source` of the data set `name`; raises BadInput if it does not exist."""
    if source is None:
        return None
    place = Path(source)
    if not place.exists():
        raise BadInput(
            given=f"`sources.{name}.source` is {source!r}, which does not exist",
            needed=f"a folder or archive with {needed}",
            remedy="correct the path, or set it to null to fetch the data",
        )
    return place.resolve()


def link_to(folder: Path, *, beside: Path) -> Path:
    """Make a symbolic link to `folder`, under a temporary name beside `beside`."""
    beside.parent.mkdir(parents=True, exist_ok=True)
    fresh = beside.with_name(f".part-{beside.name}.link")
    fresh.unlink(missing_ok=True)
    fresh.symlink_to(folder, target_is_directory=True)
    return fresh


def origin_of(archive: Path) -> dict[str, object]:
    """Identity of a local archive: path, size and time of the last change."""
    stat = archive.stat()
    return {"archive": str(archive), "bytes": stat.st_size, "changed_ns": stat.st_mtime_ns}


def clear(place: Path) -> None:
    """Remove a folder, a file or a link, but not the target of a link."""
    if place.is_symlink() or place.is_file():
        place.unlink()
    elif place.exists():
        shutil.rmtree(place)


def refuse_removal(place: Path, name: str) -> NoReturn:
    """Raise BadInput, since a person has put the folder at `place`."""
    raise BadInput(
        given=f"{place} was put there by hand, and the settings ask for other data",
        needed="a place that may be filled",
        remedy=f"move that folder away, or name it in `sources.{name}.source`",
    )


def _link(raw: Path, root: Path, name: str) -> None:
    """Make `raw` a link to `root`, unless it is that folder or a link to it already."""
    if raw.exists() and raw.resolve() == root:
        return
    if _is_foreign(raw):
        refuse_removal(raw, name)
    fresh = link_to(root, beside=raw)
    clear(raw)
    fresh.replace(raw)


def _fetch_once(
    raw: Path,
    addresses: Sequence[str],
    holds: Sequence[str],
    name: str,
    max_bytes: int,
    sha256: str | None,
) -> None:
    ledger = Ledger.beside(raw, name)
    archive = raw.with_name(f"{raw.name}.archive")
    origin: dict[str, object] = {"addresses": list(addresses)}
    if not _comes_from(raw, origin):
        fetch(addresses, archive, sha256=sha256, most_bytes=max_bytes, ledger=ledger)
        try:
            _unpack_once(raw, archive, origin, holds, name, max_bytes)
        except BadInput:
            archive.unlink()  # it cannot be used: the next run fetches it anew
            ledger.forget(addresses)
            raise
    archive.unlink(missing_ok=True)


def _unpack_once(
    raw: Path,
    archive: Path,
    origin: dict[str, object],
    holds: Sequence[str],
    name: str,
    max_bytes: int,
) -> None:
    if _comes_from(raw, origin):
        return
    if not archive.is_file() or not is_archive(archive):
        raise BadInput(
            given=f"the data of `{name}` at {archive} is neither a folder nor an archive",
            needed=f"a folder or a .zip, .tar or .tar.gz file with {_listed(holds)}",
            remedy=f"correct `sources.{name}.source`",
        )
    unpacked = raw.with_name(f"{raw.name}.unpacked")
    unpack(archive, unpacked, max_bytes=max_bytes)
    try:
        root = _root(unpacked, holds, name)
        write_text(root / ORIGIN, json.dumps(origin, indent=1) + "\n")
        clear(raw)
        root.replace(raw)
    finally:
        shutil.rmtree(unpacked, ignore_errors=True)


def _root(place: Path, holds: Sequence[str], name: str) -> Path:
    """The folder that contains all of `holds`: `place` itself or a folder directly below it."""
    if not any(place.iterdir()):
        raise BadInput(
            given=f"the folder {place} is empty",
            needed=f"a folder with {_listed(holds)}",
            remedy=f"correct `sources.{name}.source`, or set it to null to fetch the data",
        )
    candidates = [place, *sorted(path for path in place.iterdir() if path.is_dir())]
    for candidate in candidates:
        if all((candidate / folder).is_dir() for folder in holds):
            return candidate
    lacks = [folder for folder in holds if not any((c / folder).is_dir() for c in candidates)]
    raise BadInput(
        given=f"{place} lacks {_listed(lacks or holds)}",
        needed=f"{_listed(holds)} side by side, there or in one folder below",
        remedy=f"take the data as published, or correct `sources.{name}.source`",
    )


def _comes_from(raw: Path, origin: dict[str, object]) -> bool:
    note = raw / ORIGIN
    if raw.is_symlink() or not note.is_file():
        return False
    return read_note(note, remedy=anew(raw)) == origin


def anew(raw: Path) -> str:
    """Say how data that were fetched or unpacked are made again."""
    return f"remove {raw} (it was fetched or unpacked), so that it is made anew"


def _is_foreign(raw: Path) -> bool:
    """Whether there is a folder with content at `raw` that a person has put there."""
    if raw.is_symlink() or not raw.is_dir():
        return False
    return not (raw / ORIGIN).is_file() and any(os.scandir(raw))


def _refuse_foreign(raw: Path, place: Path | None, holds: Sequence[str], name: str) -> None:
    """Accept a person's own folder if no other source is set; it is never replaced."""
    if place is not None:
        refuse_removal(raw, name)
    if lacks := [folder for folder in holds if not (raw / folder).is_dir()]:
        raise BadInput(
            given=f"{raw} was put there by hand and lacks {_listed(lacks)}",
            needed=_listed(holds),
            remedy="complete that folder, or move it away to fetch the data",
        )


def _listed(folders: Sequence[str]) -> str:
    return " and ".join(f"`{folder}`" for folder in folders)
