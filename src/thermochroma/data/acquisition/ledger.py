"""Ledger of downloads: what came from an address the first time must come every time (trust on first use).

Few publishers tell a checksum. So the SHA-256 of the first download is written beside the raw folder, where
it survives the removal of the data, and a later download from the same address is compared with it.
"""

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

from thermochroma.base.files import write_text
from thermochroma.base.reading import reading
from thermochroma.data.acquisition.notes import read_note


@dataclass(frozen=True)
class Download:
    """Checksum and size of the file that an address gave."""

    sha256: str
    bytes: int


class Ledger:
    """The downloads of one data set, by their addresses."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @classmethod
    def beside(cls, raw: Path, name: str) -> "Ledger":
        """Find the ledger of the data set `name`, whose raw folder is `raw` or beside it."""
        return cls(raw.with_name(f"{name}.downloads.json"))

    def entries(self) -> dict[str, Download]:
        """Read all downloads, by address. Raises BadInput if the file is damaged."""
        if not self.path.is_file():
            return {}
        remedy = "remove it: the next download from each address is then taken for the first"
        found = read_note(self.path, remedy=remedy)
        with reading(self.path, needed="a SHA-256 and a size for each address", remedy=remedy):
            return {
                str(url): Download(str(one["sha256"]), int(one["bytes"]))
                for url, one in found.items()
            }

    def change(self, url: str, sha256: str) -> str | None:
        """Say how the bytes from `url` differ from those before; None if they do not, or are the first."""
        known = self.entries().get(url)
        if known is None or known.sha256 == sha256:
            return None
        return (
            f"it gives other bytes than before: their SHA-256 is {sha256}, and {self.path} has "
            f"{known.sha256}; if the publisher has changed the file, remove that entry"
        )

    def note(self, url: str, download: Download) -> None:
        """Write down what came from `url`."""
        self._write({**self.entries(), url: download})

    def forget(self, urls: Iterable[str]) -> None:
        """Remove addresses whose files proved useless, so that better ones are not refused."""
        known, useless = self.entries(), set(urls)
        if known.keys() & useless:
            self._write({url: one for url, one in known.items() if url not in useless})

    def _write(self, entries: dict[str, Download]) -> None:
        if not entries:
            self.path.unlink(missing_ok=True)
            return
        text = {url: asdict(one) for url, one in sorted(entries.items())}
        write_text(self.path, json.dumps(text, indent=1) + "\n")
