"""Unpack a zip or tar archive into a folder that appears whole or not at all.

All members are checked before the first byte is written: an archive from the network may name
files outside the folder, hold links that lead there, or unpack to more than the disk holds.
"""

import gzip
import shutil
import stat
import tarfile
import zipfile
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path, PurePosixPath
from typing import Any

from tqdm import tqdm

from thermochroma.base.errors import BadInput
from thermochroma.base.files import CHUNK_BYTES, whole_folder
from thermochroma.base.reading import reading

ZIP_STARTS = (b"PK\x03\x04", b"PK\x05\x06")
GZIP_START = b"\x1f\x8b"
TAR_MAGIC = slice(257, 262)  # place of "ustar" in a tar header
ENCRYPTED = 1  # a bit of a zip member's flags
FOLDER = 0x10  # a bit of a zip member's attributes, where Windows has made the archive
LARGEST_HEADER = 1 << 24  # bytes; the library reads the headers of a tar into memory
MOST_MEMBERS = 1 << 21  # all of KAIST has 300,000 files; empty ones cost an archive next to nothing
WHOLE = "a whole zip, tar or tar.gz file"
AGAIN = "fetch it again"
TOP = PurePosixPath()


@dataclass(frozen=True)
class Member:
    """One entry of an archive; path is relative to the folder that it is unpacked into."""

    name: str
    size: int
    kind: str  # file | folder | link | special | encrypted
    read: Callable[[], Any]  # opens it for reading

    @property
    def path(self) -> PurePosixPath:
        return PurePosixPath(self.name.replace("\\", "/"))


@dataclass(frozen=True)
class Opened:
    """An open archive whose members have all been checked, so that they can be unpacked."""

    archive: Path
    members: Sequence[Member]

    def folders(self) -> Collection[PurePosixPath]:
        """All folders in the archive, also those implied by paths, in its order, without the top."""
        found: dict[PurePosixPath, None] = {}
        for member in self.members:
            above = [path for path in member.path.parents if path != TOP]
            found |= dict.fromkeys(reversed(above))
            if member.kind == "folder" and member.path != TOP:
                found[member.path] = None
        return found.keys()

    def unpack(self, folder: Path, *, inside: PurePosixPath = TOP) -> None:
        """Unpack the content of the archive's folder `inside` to `folder`, whole or not at all."""
        chosen = [one for one in self.members if one.path.is_relative_to(inside)]
        with whole_folder(folder) as part:
            _write(chosen, inside, part, self.archive)


def unpack(archive: Path, folder: Path, *, max_bytes: int = 64 << 30) -> None:
    """Unpack `archive` so that `folder` holds its members; raises as `opened` does."""
    sweep(folder)
    with opened(archive, max_bytes=max_bytes) as content:
        content.unpack(folder)


@contextmanager
def opened(archive: Path, *, max_bytes: int = 64 << 30) -> Iterator[Opened]:
    """Open `archive` (zip, tar or tar.gz, recognised by its bytes) to unpack some or all of it.

    Raises BadInput, with nothing written, for no archive, a broken or cut one, a member that is a
    link, encrypted, or lies outside the folder, two members of one name, or members of more than
    `max_bytes` bytes together. Damage that only unpacking detects raises inside the block.
    """
    with _members(archive) as members:
        yield Opened(archive, _look_at_all(members, archive, max_bytes))


def is_archive(path: Path) -> bool:
    """Whether the first bytes of `path` are those of a zip, gzip or tar file.

    Raises BadInput if it cannot be read at all.
    """
    with reading(path, needed=WHOLE, remedy="give another"), path.open("rb") as stream:
        head = stream.read(512)
    return head.startswith((*ZIP_STARTS, GZIP_START)) or head[TAR_MAGIC] == b"ustar"


def sweep(folder: Path) -> None:
    """Remove leftovers of a killed unpacking beside `folder`."""
    for left in folder.parent.glob(f".part-{folder.name}-*"):
        shutil.rmtree(left)


@contextmanager
def _members(archive: Path) -> Iterator[Iterator[Member]]:
    if not is_archive(archive):
        raise BadInput(
            given=f"{archive} is no archive",
            needed="a .zip, .tar or .tar.gz file",
            remedy="check the file: a saved web page is the usual cause",
        )
    with archive.open("rb") as stream, ExitStack() as stack:
        start = stream.read(4)
        stream.seek(0)
        if start in ZIP_STARTS:
            with reading(archive, needed=WHOLE, remedy=AGAIN):
                opened_zip = stack.enter_context(zipfile.ZipFile(stream))
            members = _zip_members(opened_zip)
        else:
            plain = gzip.GzipFile(fileobj=stream) if start.startswith(GZIP_START) else stream
            bounded: Any = _BoundedReads(plain)
            with reading(archive, needed=WHOLE, remedy=AGAIN):
                opened_tar = stack.enter_context(tarfile.open(fileobj=bounded, mode="r:"))
            members = _tar_members(opened_tar)
        yield _each(members, archive)


def _each(members: Iterator[Member], archive: Path) -> Iterator[Member]:
    """Pass `members` on; what the library raises on the way is the archive's fault."""
    while True:
        with reading(archive, needed=WHOLE, remedy=AGAIN):
            member = next(members, None)
        if member is None:
            return
        yield member


class _BoundedReads:
    """A file with bounded reads: none is larger than LARGEST_HEADER, whatever a header claims."""

    def __init__(self, file: Any) -> None:
        self._file = file
        self.seek, self.tell = file.seek, file.tell

    def read(self, size: int) -> bytes:
        if size > LARGEST_HEADER:
            raise tarfile.ReadError(f"a header of {size} bytes")
        content: bytes = self._file.read(size)
        return content


def _zip_members(archive: zipfile.ZipFile) -> Iterator[Member]:
    kinds = {0: "file", stat.S_IFREG: "file", stat.S_IFDIR: "folder", stat.S_IFLNK: "link"}
    for info in archive.infolist():
        kind = kinds.get(stat.S_IFMT(info.external_attr >> 16), "special")
        kind = "encrypted" if info.flag_bits & ENCRYPTED else kind
        kind = "folder" if _is_folder(info) else kind
        yield Member(info.filename, info.file_size, kind, partial(archive.open, info))


def _is_folder(info: zipfile.ZipInfo) -> bool:
    """Whether a zip's member is a folder: Windows ends its name with a backslash, or marks it alone."""
    marked = info.filename.endswith("\\") or bool(info.external_attr & FOLDER)
    return info.is_dir() or (marked and info.file_size == 0)


def _tar_members(archive: tarfile.TarFile) -> Iterator[Member]:
    for info in archive:
        kind = "file" if info.isfile() else "folder" if info.isdir() else "special"
        kind = "link" if info.islnk() or info.issym() else kind
        yield Member(info.name, info.size, kind, partial(archive.extractfile, info))
    end: Any = archive.fileobj
    end.seek(archive.offset)
    if not end.read(1):  # cut between two members, which the library regards as the end
        raise tarfile.ReadError("the end mark is missing")


def _look_at_all(members: Iterable[Member], archive: Path, max_bytes: int) -> Sequence[Member]:
    """List all members if all are safe; stop at the first that is not, so that no bomb is read on."""
    listed: list[Member] = []
    total = 0
    files: set[PurePosixPath] = set()
    for member in tqdm(members, desc=f"listing {archive.name}", unit="member", delay=2):
        _refuse_unsafe(member, archive)
        if member.kind == "file":
            _refuse_twice(member, files, archive)
            files.add(member.path)
        total += member.size
        if len(listed) == MOST_MEMBERS:
            raise _unsafe(member, archive, f"comes after {MOST_MEMBERS:,} others")
        if total > max_bytes:
            raise BadInput(
                given=f"{archive} unpacks to more than {max_bytes} bytes",
                needed="an archive of the data set's known size",
                remedy="check where it comes from, or unpack it yourself and set "
                "`sources.<data set>.source` to the folder",
            )
        listed.append(member)
    for member in listed:
        _refuse_below_file(member, files, archive)
    return listed


def _refuse_unsafe(member: Member, archive: Path) -> None:
    path = member.path
    outside = path.is_absolute() or ".." in path.parts or ":" in (path.parts or ("",))[0]
    if "\0" in member.name:
        raise _unsafe(member, archive, "has a name that no disk can hold")
    if outside or (member.kind == "file" and path == TOP):
        raise _unsafe(member, archive, "lies outside the folder")
    if member.kind not in ("file", "folder"):
        raise _unsafe(member, archive, f"is a{'n' * (member.kind[0] == 'e')} {member.kind} file")


def _refuse_twice(member: Member, files: set[PurePosixPath], archive: Path) -> None:
    if member.path in files:
        raise _unsafe(member, archive, "is there twice")


def _refuse_below_file(member: Member, files: set[PurePosixPath], archive: Path) -> None:
    above = (member.path, *member.path.parents)[member.kind == "file" :]
    if not files.isdisjoint(above):
        raise _unsafe(member, archive, "is both a file and a folder")


def _unsafe(member: Member, archive: Path, fault: str) -> BadInput:
    return BadInput(
        given=f"the member {member.name!r} of {archive} {fault}",
        needed="archives of plain files and folders, each with a name of its own; nothing was unpacked",
        remedy="check where the archive comes from",
    )


def _write(members: Sequence[Member], inside: PurePosixPath, folder: Path, archive: Path) -> None:
    total = sum(member.size for member in members)
    with tqdm(total=total, desc=f"unpacking {archive.name}", unit="B", unit_scale=True) as bar:
        for member in members:
            target = folder / member.path.relative_to(inside)
            if member.kind == "folder":
                target.mkdir(parents=True, exist_ok=True)
                continue
            target.parent.mkdir(parents=True, exist_ok=True)
            with ExitStack() as stack, target.open("xb") as stream:
                written = 0
                with reading(archive, needed=WHOLE, remedy=AGAIN):
                    source = stack.enter_context(member.read())
                while chunk := _chunk(source, archive):
                    written += len(chunk)
                    if written > member.size:  # only the claimed size has been checked so far
                        raise _unsafe(member, archive, "holds more than it claims")
                    stream.write(chunk)
                    bar.update(len(chunk))


def _chunk(source: Any, archive: Path) -> bytes:
    with reading(archive, needed=WHOLE, remedy=AGAIN):
        chunk: bytes = source.read(CHUNK_BYTES)
    return chunk
