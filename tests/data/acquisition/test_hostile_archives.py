"""Archives made to do harm: each ends with a sentence, and no file outside its folder appears or changes.

Public reports of the kind: pytorch/vision#9517 and huggingface/datasets#8052 (members outside the folder),
d2l-ai/d2l-en#2714 (the same by plain HTTP).
"""

import io
import stat
import tarfile
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from tempfile import gettempdir

import pytest

from thermochroma.base.errors import BadInput
from thermochroma.data.acquisition import unpack as unpacking
from thermochroma.data.acquisition.unpack import unpack

Members = list[tuple[tarfile.TarInfo, bytes]]


def info(name: str, **fields: object) -> tarfile.TarInfo:
    member = tarfile.TarInfo(name)
    for field, value in fields.items():
        setattr(member, field, value)
    return member


def tar(*members: tuple[tarfile.TarInfo, bytes]) -> bytes:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w:gz", format=tarfile.PAX_FORMAT) as archive:
        for member, content in members:
            member.size = member.size or len(content)
            archive.addfile(member, io.BytesIO(content) if content else None)
    return stream.getvalue()


def zipped(name: str, content: bytes = b"evil", mode: int = stat.S_IFREG) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr("top/a", b"good")
        member = zipfile.ZipInfo(name)
        member.external_attr = (mode | 0o777) << 16
        archive.writestr(member, content)
    return stream.getvalue()


def link(name: str, to: str, kind: bytes = tarfile.SYMTYPE) -> tuple[tarfile.TarInfo, bytes]:
    return info(name, type=kind, linkname=to), b""


def endless_names() -> bytes:
    """Five thousand headers of long names, one before the other, which the library reads recursively."""
    head = info("././@LongLink", type=tarfile.GNUTYPE_LONGNAME, size=512)
    return zlib.compress((head.tobuf(tarfile.GNU_FORMAT) + b"a" * 512) * 5000, wbits=31)


def overlapping() -> bytes:
    """A zip of 300 members that share the bytes of one (David Fifield, WOOT 2019)."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("0", bytes(1 << 20))
        for number in range(1, 300):
            member = zipfile.ZipInfo(str(number))
            for field in ("CRC", "compress_size", "file_size", "header_offset", "compress_type"):
                setattr(member, field, getattr(archive.filelist[0], field))
            archive.filelist.append(member)
    return stream.getvalue()


GOOD = (info("top/a"), b"good")
OUTSIDE = "../victim"
ABSOLUTE = str(Path(gettempdir()).resolve() / "thermochroma-victim")
HOSTILE: dict[str, bytes] = {
    "zip: up": zipped(OUTSIDE),
    "zip: up, from below": zipped("top/../../victim"),
    "zip: up, as Windows writes it": zipped("..\\victim"),
    "zip: absolute": zipped(ABSOLUTE),
    "zip: a drive": zipped("C:\\victim"),
    "zip: a link": zipped("top/out", b"../../victim", stat.S_IFLNK),
    "zip: a device": zipped("top/null", b"", stat.S_IFCHR),
    "zip: overlapping": overlapping(),
    "tar: up": tar(GOOD, (info(OUTSIDE), b"evil")),
    "tar: absolute": tar(GOOD, (info(ABSOLUTE), b"evil")),
    "tar: a link, and a file through it": tar(link("out", ".."), (info("out/victim"), b"evil")),
    "tar: an absolute link": tar(GOOD, link("top/out", "/")),
    "tar: a hard link": tar(GOOD, link("top/out", OUTSIDE, tarfile.LNKTYPE)),
    "tar: a pipe": tar((info("pipe", type=tarfile.FIFOTYPE), b"")),
    "tar: a disk": tar((info("disk", type=tarfile.BLKTYPE, devmajor=8), b"")),
    "tar: a name with a zero": tar((info("a", pax_headers={"path": "a\0b"}), b"evil")),
    "tar: a terabyte claimed": tar((info("top/a", size=1 << 40), b"")),
    "tar: endless names": endless_names(),
}


def everything(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes() if path.is_file() else b""
        for path in folder.rglob("*")
    }


@pytest.mark.parametrize("case", HOSTILE)
def test_it_ends_with_a_sentence_and_touches_nothing(case: str, tmp_path: Path) -> None:
    (tmp_path / "below").mkdir()
    (tmp_path / "victim").write_text("mine")
    archive = tmp_path / "below/archive"
    archive.write_bytes(HOSTILE[case])
    before = everything(tmp_path)
    with pytest.raises(BadInput, match=r"below/archive"):
        unpack(archive, tmp_path / "below/out", max_bytes=100 << 20)
    assert everything(tmp_path) == before
    assert not Path(ABSOLUTE).exists()


@pytest.mark.parametrize("pack", ["zip", "tar"])
def test_members_without_end_are_stopped_at_a_number(
    pack: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(unpacking, "MOST_MEMBERS", 100)
    stream = io.BytesIO()
    if pack == "zip":
        with zipfile.ZipFile(stream, "w") as archive:
            for number in range(101):
                archive.writestr(str(number), b"")
    else:
        stream.write(tar(*((info(str(number)), b"") for number in range(101))))
    (tmp_path / "archive").write_bytes(stream.getvalue())
    with pytest.raises(BadInput, match="comes after 100 others"):
        unpack(tmp_path / "archive", tmp_path / "out")


def windows(path: Path, marks: Callable[[zipfile.ZipInfo], None]) -> None:
    """A zip as programs on Windows write it: folders are members, parts are separated by backslashes."""
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in (("top", b""), ("top\\below", b""), ("top\\below\\a.jpg", b"a")):
            member = zipfile.ZipInfo(name)
            member.create_system = 0
            if not content:
                marks(member)
            archive.writestr(member, content)


def by_backslash(member: zipfile.ZipInfo) -> None:
    member.filename += "\\"


def by_attribute(member: zipfile.ZipInfo) -> None:
    member.external_attr = 0x10


@pytest.mark.parametrize("marks", [by_backslash, by_attribute])
def test_folders_in_a_zip_of_windows_are_folders(
    marks: Callable[[zipfile.ZipInfo], None], tmp_path: Path
) -> None:
    """python/cpython#117084 and #91036: a folder came out as an empty file, in the way of its content."""
    windows(tmp_path / "archive", marks)
    unpack(tmp_path / "archive", tmp_path / "out")
    found = sorted(
        str(path.relative_to(tmp_path / "out")) for path in (tmp_path / "out").rglob("*")
    )
    assert found == ["top", "top/below", "top/below/a.jpg"]
    assert (tmp_path / "out/top/below/a.jpg").read_bytes() == b"a"
