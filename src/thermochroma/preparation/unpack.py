"""Unpack a zip or tar archive into a folder that appears whole or not at all.

All members are looked at before the first byte is written: an archive from the network may name
files outside the folder, hold links that lead there, or unpack to more than the disk holds.
"""

import shutil
import stat
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path, PurePosixPath
from typing import Any

from tqdm import tqdm

from thermochroma.errors import BadInput
from thermochroma.files import CHUNK_BYTES, whole_folder

# NotImplementedError is what zipfile raises for a compression that it does not know.
BROKEN = (zipfile.BadZipFile, tarfile.TarError, EOFError, zlib.error, OSError, NotImplementedError)
ZIP_STARTS = (b"PK\x03\x04", b"PK\x05\x06")
GZIP_START = b"\x1f\x8b"
TAR_MAGIC = slice(257, 262)  # where a tar header says "ustar"


@dataclass(frozen=True)
class _Member:
    name: str
    size: int
    kind: str  # file | folder | link | special
    read: Callable[[], Any]  # opens it for reading


def unpack(archive: Path, folder: Path, *, max_bytes: int = 64 << 30) -> None:
    """Unpack `archive` (zip, tar or tar.gz, told by its bytes) so that `folder` holds its members.

    Raises BadInput, with nothing written, for no archive, a broken or cut one, a member that is a
    link or lies outside the folder, or members of more than `max_bytes` bytes together.
    """
    _sweep(folder)
    with _members(archive) as members:
        listed = _look_at_all(members, archive, max_bytes)
        with whole_folder(folder) as part:
            _write(listed, part, archive)


def is_archive(path: Path) -> bool:
    """True if the first bytes of `path` are those of a zip, gzip or tar file."""
    with path.open("rb") as stream:
        head = stream.read(512)
    return head.startswith((*ZIP_STARTS, GZIP_START)) or head[TAR_MAGIC] == b"ustar"


def _sweep(folder: Path) -> None:
    """Remove what an unpacking that was killed has left beside `folder`."""
    for left in folder.parent.glob(f".part-{folder.name}-*"):
        shutil.rmtree(left)


@contextmanager
def _members(archive: Path) -> Iterator[Iterator[_Member]]:
    if not is_archive(archive):
        raise BadInput(
            given=f"{archive} is no archive",
            needed="a .zip, .tar or .tar.gz file",
            remedy="check the file: a saved web page is the usual cause",
        )
    with archive.open("rb") as stream, _broken_is_bad_input(archive):
        if stream.read(4) in ZIP_STARTS:
            with zipfile.ZipFile(archive) as opened:
                yield _zip_members(opened)
        else:
            with tarfile.open(archive) as opened_tar:
                yield _tar_members(opened_tar)


@contextmanager
def _broken_is_bad_input(archive: Path) -> Iterator[None]:
    try:
        yield
    except BROKEN as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise  # the disk's fault (full, not readable), not the archive's
        raise BadInput(
            given=f"{archive} is cut short or broken ({error})",
            needed="a whole archive",
            remedy="fetch it again",
        ) from error


def _zip_members(opened: zipfile.ZipFile) -> Iterator[_Member]:
    for info in opened.infolist():
        mode = stat.S_IFMT(info.external_attr >> 16)
        kind = "folder" if info.is_dir() else "link" if mode == stat.S_IFLNK else "file"
        yield _Member(info.filename, info.file_size, kind, partial(opened.open, info))


def _tar_members(opened: tarfile.TarFile) -> Iterator[_Member]:
    for info in opened:
        kind = "file" if info.isfile() else "folder" if info.isdir() else "special"
        kind = "link" if info.islnk() or info.issym() else kind
        yield _Member(info.name, info.size, kind, partial(opened.extractfile, info))
    end: Any = opened.fileobj
    end.seek(opened.offset)
    if not end.read(1):  # cut between two members, which the library takes for the end
        raise tarfile.ReadError("the end mark is missing")


def _look_at_all(members: Iterator[_Member], archive: Path, max_bytes: int) -> Sequence[_Member]:
    """Every member, if all are safe; stops at the first that is not: a bomb is not read on."""
    listed, total = [], 0
    for member in members:
        _refuse_unsafe(member, archive)
        total += member.size
        if total > max_bytes:
            raise BadInput(
                given=f"{archive} unpacks to more than {max_bytes} bytes",
                needed="an archive of the size that the data set is known to have",
                remedy="check where it comes from, or unpack it yourself and set "
                "`sources.<data set>.source` to the folder",
            )
        listed.append(member)
    return listed


def _refuse_unsafe(member: _Member, archive: Path) -> None:
    path = PurePosixPath(member.name.replace("\\", "/"))
    outside = path.is_absolute() or ".." in path.parts or ":" in (path.parts or ("",))[0]
    if outside or member.kind in ("link", "special"):
        fault = "lies outside the folder" if outside else f"is a {member.kind} file"
        raise BadInput(
            given=f"the member {member.name!r} of {archive} {fault}",
            needed="archives of plain files and folders; nothing was unpacked",
            remedy="check where the archive comes from",
        )


def _write(members: Sequence[_Member], folder: Path, archive: Path) -> None:
    total = sum(member.size for member in members)
    with tqdm(total=total, desc=f"unpacking {archive.name}", unit="B", unit_scale=True) as bar:
        for member in members:
            target = folder / member.name.replace("\\", "/")
            if member.kind == "folder":
                target.mkdir(parents=True, exist_ok=True)
                continue
            target.parent.mkdir(parents=True, exist_ok=True)
            with member.read() as source, target.open("xb") as stream:
                while chunk := source.read(CHUNK_BYTES):
                    stream.write(chunk)
                    bar.update(len(chunk))
