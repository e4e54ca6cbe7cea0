"""Archives: what is unpacked, and what is refused before a byte is written."""

import io
import random
import stat
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path, PurePosixPath

import pytest

from thermochroma.base.errors import BadInput
from thermochroma.data.acquisition.unpack import opened, unpack

FILES = {"top/a.bin": random.Random(0).randbytes(5000), "top/below/b.bin": b"b", "top/empty": b""}


def write_zip(path: Path, files: dict[str, bytes]) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("top/", b"")
        for name, content in files.items():
            archive.writestr(zipfile.ZipInfo(name), content)


def write_tar(path: Path, files: dict[str, bytes], mode: str = "w:gz") -> None:
    with tarfile.open(path, mode) as archive:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))


def write_plain_tar(path: Path, files: dict[str, bytes]) -> None:
    write_tar(path, files, "w")


WRITERS = pytest.mark.parametrize("write", [write_zip, write_tar, write_plain_tar])
Writer = Callable[[Path, dict[str, bytes]], None]


def refused(archive: Path, pattern: str, **more: int) -> None:
    """It ends with a sentence, and beside the archive stands nothing new."""
    with pytest.raises(BadInput, match=pattern):
        unpack(archive, archive.parent / "out", **more)
    assert list(archive.parent.iterdir()) == [archive]


@WRITERS
def test_members_come_out_as_they_went_in(write: Writer, tmp_path: Path) -> None:
    write(tmp_path / "archive", FILES)
    (tmp_path / ".part-out-left").mkdir()  # by a killed run
    unpack(tmp_path / "archive", tmp_path / "out")
    found = {
        path.relative_to(tmp_path / "out").as_posix(): path.read_bytes()
        for path in (tmp_path / "out").rglob("*")
        if path.is_file()
    }
    assert found == FILES
    assert sorted(path.name for path in tmp_path.iterdir()) == ["archive", "out"]


@WRITERS
@pytest.mark.parametrize("name", ["../evil", "top/../../evil", "/evil", "C:/evil", "..\\evil"])
def test_members_outside_the_folder_are_refused(name: str, write: Writer, tmp_path: Path) -> None:
    write(tmp_path / "archive", {**FILES, name: b"evil"})
    refused(tmp_path / "archive", "lies outside the folder")


@WRITERS
def test_more_than_expected_is_refused(write: Writer, tmp_path: Path) -> None:
    write(tmp_path / "archive", {f"{i}": bytes(10_000) for i in range(10)})
    refused(tmp_path / "archive", "more than 99999 bytes", max_bytes=99_999)
    unpack(tmp_path / "archive", tmp_path / "out", max_bytes=100_000)


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE])
def test_links_in_tar_are_refused(kind: bytes, tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "archive", "w:gz") as archive:
        member = tarfile.TarInfo("link")
        member.type, member.linkname = kind, "/etc/passwd"
        archive.addfile(member)
    refused(tmp_path / "archive", "is a (link|special) file")


def test_links_in_zip_are_refused(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "archive", "w") as archive:
        member = zipfile.ZipInfo("link")
        member.external_attr = (stat.S_IFLNK | 0o777) << 16
        archive.writestr(member, "/etc/passwd")
    refused(tmp_path / "archive", "is a link file")


@WRITERS
@pytest.mark.parametrize("share", [0.3, 0.5])
def test_a_cut_archive_is_refused(share: float, write: Writer, tmp_path: Path) -> None:
    write(tmp_path / "archive", FILES)
    content = (tmp_path / "archive").read_bytes()
    (tmp_path / "archive").write_bytes(content[: int(len(content) * share)])
    refused(tmp_path / "archive", "cannot be read")


def test_a_tar_cut_between_two_members_is_refused(tmp_path: Path) -> None:
    write_plain_tar(tmp_path / "archive", FILES)
    content = (tmp_path / "archive").read_bytes()
    (tmp_path / "archive").write_bytes(content[: 512 + 5120])  # header and member of 5,000 bytes
    refused(tmp_path / "archive", "the end mark is missing")


def test_a_damaged_member_leaves_nothing(tmp_path: Path) -> None:
    write_zip(tmp_path / "archive", FILES)
    content = bytearray((tmp_path / "archive").read_bytes())
    content[1000] ^= 255
    (tmp_path / "archive").write_bytes(content)
    refused(tmp_path / "archive", "cannot be read")


def test_a_web_page_is_no_archive(tmp_path: Path) -> None:
    (tmp_path / "archive").write_text("<html>Not found</html>")
    refused(tmp_path / "archive", "is no archive")


def test_an_archive_that_names_a_file_twice_is_refused(tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "archive", "w") as archive:
        for name in ("top/a", "top/./a"):
            archive.addfile(tarfile.TarInfo(name))
    refused(tmp_path / "archive", "is there twice")


@WRITERS
def test_a_file_that_is_a_folder_too_is_refused(write: Writer, tmp_path: Path) -> None:
    write(tmp_path / "archive", {"top/a/b": b"", "top/a": b""})
    refused(tmp_path / "archive", "is both a file and a folder")


@pytest.mark.parametrize("kind", [stat.S_IFIFO, stat.S_IFCHR, stat.S_IFSOCK])
def test_special_files_in_zip_are_refused(kind: int, tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "archive", "w") as archive:
        member = zipfile.ZipInfo("pipe")
        member.external_attr = (kind | 0o777) << 16
        archive.writestr(member, b"")
    refused(tmp_path / "archive", "is a special file")


def test_an_encrypted_member_is_refused(tmp_path: Path) -> None:
    write_zip(tmp_path / "archive", FILES)
    content = bytearray((tmp_path / "archive").read_bytes())
    content[content.rindex(b"PK\x01\x02") + 8] |= 1
    (tmp_path / "archive").write_bytes(content)
    refused(tmp_path / "archive", "is an encrypted file")


def understated(path: Path, real: bytes, claimed: int, sum_of: bytes) -> None:
    """A zip whose member inflates to `real`, and claims fewer bytes with the sum of `sum_of`."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("bomb", real)
    content = bytearray(path.read_bytes())
    for start, size, crc in ((0, 22, 14), (content.rindex(b"PK\x01\x02"), 24, 16)):
        content[start + size : start + size + 4] = struct.pack("<I", claimed)
        content[start + crc : start + crc + 4] = struct.pack("<I", zlib.crc32(sum_of))
    path.write_bytes(content)


def test_a_bomb_that_claims_to_be_small_stops(tmp_path: Path) -> None:
    real = bytes(50_000_000)
    understated(tmp_path / "archive", real, 1000, real)
    refused(tmp_path / "archive", "cannot be read", max_bytes=2000)
    understated(tmp_path / "archive", real, 1000, real[:1000])  # with a sum that fits the claim
    unpack(tmp_path / "archive", tmp_path / "out", max_bytes=2000)
    assert (tmp_path / "out/bomb").stat().st_size == 1000


def test_a_bomb_in_a_header_stops(tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "archive", "w:gz") as archive:
        header = tarfile.TarInfo("header")
        header.type, header.size = tarfile.GNUTYPE_LONGNAME, 100_000_000
        archive.addfile(header, io.BytesIO(bytes(header.size)))
    refused(tmp_path / "archive", "a header of 100000256 bytes")


def test_one_folder_of_an_archive_is_unpacked_alone(tmp_path: Path) -> None:
    write_tar(tmp_path / "archive", {"a/b/c": b"1", "a/b/d/e": b"2", "a/bb/c": b"3"})
    with opened(tmp_path / "archive") as content:
        assert [str(path) for path in content.folders()] == ["a", "a/b", "a/b/d", "a/bb"]
        content.unpack(tmp_path / "out", inside=PurePosixPath("a/b"))
    found = {path.relative_to(tmp_path / "out") for path in (tmp_path / "out").rglob("*")}
    assert {path.as_posix() for path in found} == {"c", "d", "d/e"}
