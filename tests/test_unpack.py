"""Archives: what is unpacked, and what is refused before a byte is written."""

import io
import random
import stat
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from thermochroma.errors import BadInput
from thermochroma.preparation.unpack import unpack

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
    refused(tmp_path / "archive", "cut short or broken")


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
    refused(tmp_path / "archive", "cut short or broken")


def test_a_web_page_is_no_archive(tmp_path: Path) -> None:
    (tmp_path / "archive").write_text("<html>Not found</html>")
    refused(tmp_path / "archive", "is no archive")
