"""The bytes of a download so far, with the address and version that they belong to."""

import glob
import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path

from thermochroma.base import files


@dataclass(frozen=True)
class Version:
    """Address and version of a part; it is continued only from `url` and if the server knows `mark`."""

    url: str
    mark: str = ""  # HTTP validator for If-Range: a strong ETag or a Last-Modified date
    total: int | None = None


class PartialFile:
    """The bytes so far, and the version that they belong to."""

    def __init__(self, path: Path, bytes_expected: int | None, most_bytes: int) -> None:
        self.path = path
        self.ceiling = most_bytes if bytes_expected is None else bytes_expected
        self.bytes = path.with_name(path.name + ".part")
        self.note = path.with_name(path.name + ".part.json")
        self.expected = bytes_expected
        self.most = self.size()  # the longest it has ever been: the measure of progress

    def size(self) -> int:
        """Number of bytes so far."""
        return self.bytes.stat().st_size if self.bytes.exists() else 0

    def version(self) -> Version | None:
        """The version to continue, or None if the part cannot be continued safely."""
        try:
            version = Version(**json.loads(self.note.read_text(encoding="utf-8")))
        except (FileNotFoundError, ValueError, TypeError):
            return None
        return version if version.mark and self.size() else None

    def begin(self, version: Version) -> None:
        """Remove the bytes first and note the version second, so that a kill cannot mix two."""
        self.drop()
        files.write_text(self.note, json.dumps(asdict(version)))

    def drop(self) -> None:
        """Remove the bytes so far and their note."""
        self.bytes.unlink(missing_ok=True)
        self.note.unlink(missing_ok=True)

    def finish(self) -> None:
        """Give the complete file its final name."""
        with self.bytes.open("rb") as written:
            os.fsync(written.fileno())
        self.bytes.replace(self.path)
        self.sweep()

    def sweep(self) -> None:
        """Remove leftovers beside the complete file, which a killed run may not have removed."""
        self.note.unlink(missing_ok=True)
        for left in self.path.parent.glob(f"{glob.escape(self.by_drive.name)}*"):
            left.unlink()

    @property
    def by_drive(self) -> Path:
        """Path at which the drive's client puts the whole file; its own part is beside it."""
        return self.path.with_name(self.path.name + ".drive")
