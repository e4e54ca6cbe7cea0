"""Inventory of the complete folders below `raw`, and the origin of each.

A file of our own inside `raw` records them. A folder is recorded first and then put in place by one
renaming; so, after a kill at any moment, a folder that is recorded and present is complete, and a
folder without a record was put there by a person.
"""

import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import TypeAlias, TypedDict

from thermochroma.base.files import write_text
from thermochroma.base.reading import reading
from thermochroma.data.acquisition.local import ORIGIN, anew, clear, refuse_removal
from thermochroma.data.acquisition.notes import read_note

Origin: TypeAlias = Mapping[str, object]
"""Origin of a folder: {"addresses": ...}, {"archive", "bytes", "changed_ns"} of a local archive, or
{"folder": ...}."""


class _Note(TypedDict):
    origin: Origin
    warnings: list[str]


class Inventory:
    """The folders below `raw`, named by their paths there ("images/set00/V000").

    name: the data set's key under `sources:`, for the messages.
    """

    def __init__(self, raw: Path, name: str) -> None:
        self.raw, self.name = raw, name
        self._noted = _notes(raw)

    def has(self, folder: str) -> bool:
        """Whether the folder exists, whatever its origin."""
        return (self.raw / folder).is_dir()

    def origin(self, folder: str) -> Origin | None:
        """Origin of a folder, or of one that contains it; None if it is missing or a person's."""
        path = PurePosixPath(folder)
        names = [str(one) for one in (path, *path.parents)] if self.has(folder) else []
        return next((self._noted[name]["origin"] for name in names if name in self._noted), None)

    def serves(self, folder: str) -> bool:
        """Whether the folder exists without a local source: fetched, or put there by a person."""
        origin = self.origin(folder)
        if origin is not None:
            return "addresses" in origin
        return self.has(folder) and not any(name.startswith(f"{folder}/") for name in self._noted)

    def put(self, folder: str, fresh: Path, origin: Origin, warnings: list[str]) -> None:
        """Move `fresh` (a folder or a link to one, on the same disk) to its place.

        An older folder at that place is removed; raises BadInput if a person has put it there.
        """
        self.refuse_strangers(folder)
        target = self.raw / folder
        old = self.raw.with_name(f".part-{self.raw.name}-old")
        clear(old)
        self._remove_links_above(folder)
        target.parent.mkdir(parents=True, exist_ok=True)
        if target.is_symlink() or target.exists():
            target.replace(old)
        self._note(folder, {"origin": origin, "warnings": warnings})
        fresh.replace(target)
        clear(old)

    def refuse_strangers(self, folder: str) -> None:
        """Raise BadInput if a folder cannot be put in place without removing a person's."""
        for stranger in self._strangers(folder):
            refuse_removal(stranger, self.name)

    def _strangers(self, folder: str) -> Iterator[Path]:
        """Files and links at or below a folder's place, and links above it, that are not ours."""
        foreign_link = self.raw.is_symlink() and not (self.raw / ORIGIN).is_file()
        if foreign_link and any(os.scandir(self.raw)):
            yield self.raw
        for above in reversed(PurePosixPath(folder).parents):
            if (self.raw / above).is_symlink() and str(above) not in (".", *self._noted):
                yield self.raw / above
        if self.origin(folder) is None:
            yield from self._unnoted(self.raw / folder)

    def _unnoted(self, place: Path) -> Iterator[Path]:
        if place.relative_to(self.raw).as_posix() in self._noted:
            return
        if place.is_dir() and not place.is_symlink():
            for below in place.iterdir():
                yield from self._unnoted(below)
        elif place.is_symlink() or place.exists():
            yield place

    def _remove_links_above(self, folder: str) -> None:
        """Remove recorded links to local folders: unpacking through them would write into those."""
        for above in reversed(PurePosixPath(folder).parents):
            if str(above) != "." and (self.raw / above).is_symlink():
                (self.raw / above).unlink()
                del self._noted[str(above)]

    def _note(self, folder: str, note: _Note) -> None:
        kept = {name: old for name, old in self._noted.items() if not name.startswith(f"{folder}/")}
        self._noted = dict(sorted((kept | {folder: note}).items()))
        write_text(self.raw / ORIGIN, json.dumps({"folders": self._noted}, indent=1) + "\n")


def warnings_noted(raw: Path) -> list[str]:
    """Warnings about published checksums, recorded when the folders below `raw` were acquired."""
    return [warning for note in _notes(raw).values() for warning in note["warnings"]]


def _notes(raw: Path) -> dict[str, _Note]:
    path = raw / ORIGIN
    if not path.is_file():
        return {}
    folders = read_note(path, remedy=anew(raw)).get("folders", {})
    with reading(path, needed="a note of each folder's origin", remedy=anew(raw)):
        return {
            str(name): {"origin": dict(note["origin"]), "warnings": list(note["warnings"])}
            for name, note in folders.items()
        }
