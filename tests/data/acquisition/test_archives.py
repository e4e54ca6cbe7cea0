"""Several archives, one at a time: from where, in which layout, after a kill, and what is never lost."""

import hashlib
import io
import os
import shutil
import tarfile
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from tests.server import Server, serving
from thermochroma.base.errors import BadInput
from thermochroma.data.acquisition.archives import Archive, bring_archives
from thermochroma.data.acquisition.inventory import warnings_noted

NAMES = ("set00/V000", "set00/V001", "set06/V000")
RECORDINGS = {  # what each archive holds, by path below raw
    f"images/{name}/{kind}/I0000{n}.jpg": f"{name} {kind} {n}".encode() * 500
    for name in NAMES
    for kind in ("lwir", "visible")
    for n in range(2)
}
TEXTS = {f"annotations/{name}/I00000.txt": b"% bbGt version=3\n" for name in NAMES}


def file_of(name: str) -> str:
    return f"{name.replace('/', '_')}.zip"


def zipped(files: Mapping[str, bytes]) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return stream.getvalue()


def tarred(files: Mapping[str, bytes]) -> bytes:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w:gz") as archive:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return stream.getvalue()


def below(folder: str, files: Mapping[str, bytes] = RECORDINGS) -> dict[str, bytes]:
    return {name: content for name, content in files.items() if name.startswith(f"{folder}/")}


def moved(files: Mapping[str, bytes], old: str, new: str) -> dict[str, bytes]:
    """The same files with the beginning of their paths exchanged."""
    return {new + name.removeprefix(old): content for name, content in files.items()}


ZIPS = {file_of(name): zipped(below(f"images/{name}")) for name in NAMES}


def write(root: Path, files: Mapping[str, bytes]) -> Path:
    for name, content in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return root


def content(root: Path) -> dict[str, bytes]:
    """Every file below, through links, without ours."""
    return {
        str(Path(found).relative_to(root) / name): (Path(found) / name).read_bytes()
        for found, _, names in os.walk(root, followlinks=True)
        for name in names
        if not name.startswith(".")
    }


def archives(base: str = "", md5: str | None = None) -> list[Archive]:
    return [
        Archive(file_of(name), (f"{base}{file_of(name)}",), f"images/{name}", md5, 1 << 20)
        for name in NAMES
    ]


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    monkeypatch.setattr("thermochroma.data.acquisition.fetch.time.sleep", lambda seconds: None)
    with serving(ZIPS) as server:
        yield server


@pytest.fixture
def raw(tmp_path: Path) -> Path:
    return tmp_path / "data" / "kaist"


def from_network(server: Server, raw: Path) -> None:
    bring_archives(raw, archives(server.base), name="kaist", source=None)


def from_place(raw: Path, place: Path, wanted: list[Archive] | None = None) -> None:
    bring_archives(raw, wanted or archives(), name="kaist", source=str(place))


def tidy(raw: Path) -> bool:
    """Beside `raw` stands nothing of ours but the ledger, which is to stay."""
    ledger = f"{raw.name}.downloads.json"
    return [path.name for path in raw.parent.iterdir() if path.name != ledger] == [raw.name]


def test_each_archive_is_fetched_unpacked_and_removed(server: Server, raw: Path) -> None:
    for _ in range(2):
        from_network(server, raw)
        assert content(raw) == RECORDINGS
        assert tidy(raw)
        assert server.asked_for == list(ZIPS)


def test_a_download_that_ends_early_is_of_use_and_names_the_next_step(
    server: Server, raw: Path, tmp_path: Path
) -> None:
    del server.files["set00_V001.zip"]
    with pytest.raises(BadInput) as caught:
        from_network(server, raw)
    assert caught.value.given == (
        "1 of 3 archives of `kaist` are missing (set00_V001.zip could not be fetched from "
        f"{server.base}set00_V001.zip (status 404))"
    )
    assert caught.value.needed == f"all of them; in {raw} are set00_V000.zip, set06_V000.zip"
    assert "set00_V001.zip" in caught.value.remedy
    assert "set `sources.kaist.source` to that folder" in caught.value.remedy
    assert content(raw) == below("images/set00/V000") | below("images/set06")
    by_hand = write(tmp_path / "by hand", {"set00_V001.zip": ZIPS["set00_V001.zip"]})
    asked = len(server.asked_for)
    bring_archives(raw, archives(server.base), name="kaist", source=str(by_hand))
    assert content(raw) == RECORDINGS
    assert len(server.asked_for) == asked
    assert content(by_hand) == {"set00_V001.zip": ZIPS["set00_V001.zip"]}


def test_what_a_person_puts_into_its_place_serves_and_stays(server: Server, raw: Path) -> None:
    del server.files["set00_V001.zip"]
    mine = write(raw, {"images/set00/V001/lwir/I00000.jpg": b"mine"})
    from_network(server, raw)
    assert content(raw) == {
        **below("images/set00/V000"), **below("images/set06"),
        "images/set00/V001/lwir/I00000.jpg": b"mine",
    }  # fmt: skip
    whole = write(raw.parent / "whole", RECORDINGS)
    with pytest.raises(BadInput, match=r"V001\S* was put there by hand"):
        from_place(raw, whole)
    assert (mine / "images/set00/V001/lwir/I00000.jpg").read_bytes() == b"mine"


def test_a_link_of_a_person_is_not_written_through(
    server: Server, raw: Path, tmp_path: Path
) -> None:
    theirs = write(tmp_path / "theirs", below("images/set00/V000"))
    raw.parent.mkdir()
    raw.symlink_to(theirs)
    with pytest.raises(BadInput, match="was put there by hand"):
        from_network(server, raw)
    assert content(theirs) == below("images/set00/V000")
    assert server.asked_for == []
    write(theirs, RECORDINGS)
    from_network(server, raw)  # all is there
    assert server.asked_for == []


class Killed(BaseException):
    """What ends a run as a kill does: nothing catches it."""


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("moment", range(0, 14))
def test_killed_at_any_moment_it_continues(
    moment: int, after: bool, server: Server, raw: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every renaming and removal of the first run is one such moment."""
    left = [moment]
    originals = {name: getattr(Path, name) for name in ("replace", "unlink")}

    def deadly(name: str) -> object:
        def act(path: Path, *arguments: object, **options: object) -> object:
            left[0] -= 1
            if left[0] == -1 and not after:
                raise Killed
            done = originals[name](path, *arguments, **options)
            if left[0] == -1:
                raise Killed
            return done

        return act

    with monkeypatch.context() as patch:
        for name in originals:
            patch.setattr(Path, name, deadly(name))
        with pytest.raises(Killed):
            from_network(server, raw)
    for name in NAMES:  # what is there is whole
        if (raw / "images" / name).is_dir():
            assert content(raw / "images" / name) == moved(
                below(f"images/{name}"), f"images/{name}/", ""
            )
    from_network(server, raw)
    assert content(raw) == RECORDINGS
    assert tidy(raw)
    assert len(server.asked_for) <= len(ZIPS) + 1  # one may come twice, killed before its last name


def test_a_cut_archive_is_resumed_by_the_next_run(server: Server, raw: Path) -> None:
    size = len(ZIPS["set00_V000.zip"])
    server.cuts, server.after_cut = [size - 100], lambda: server.statuses.extend([(404, {})])
    with pytest.raises(BadInput, match="status 404"):
        from_network(server, raw)
    from_network(server, raw)
    assert server.asked[-1] not in ("", f"bytes={size}-")
    assert content(raw) == RECORDINGS


def test_a_broken_archive_is_named_and_fetched_anew_by_the_next_run(
    server: Server, raw: Path
) -> None:
    whole = server.files["set00_V001.zip"]
    server.files["set00_V001.zip"] = whole[: len(whole) // 2]
    with pytest.raises(BadInput, match=r"set00_V001\.zip cannot be read"):
        from_network(server, raw)
    assert content(raw) == below("images/set00/V000") | below("images/set06")
    server.files["set00_V001.zip"] = whole
    from_network(server, raw)
    assert content(raw) == RECORDINGS
    assert tidy(raw)


def test_another_checksum_is_refused_unless_it_is_allowed_and_then_noted_for_good(
    server: Server, raw: Path
) -> None:
    md5 = hashlib.md5(ZIPS["set00_V001.zip"]).hexdigest()
    wanted = archives(server.base, md5)
    with pytest.raises(BadInput, match=rf"2 of 3 archives .*have the MD5 \w+, those .* {md5}"):
        bring_archives(raw, wanted, name="kaist", source=None)
    assert content(raw) == below("images/set00/V001")
    assert tidy(raw)
    for _ in range(2):
        bring_archives(raw, wanted, name="kaist", source=None, allow_other_versions=True)
        noted = [warning.split()[0] for warning in warnings_noted(raw)]
        assert noted == ["set00_V000.zip", "set06_V000.zip"]


LAYOUTS = {
    "as published": lambda name: (name, below(f"images/{name}")),
    "without images": lambda name: (name, moved(below(f"images/{name}"), "images/", "")),
    "in a folder": lambda name: (name, moved(below(f"images/{name}"), "", "kaist-cvpr15/")),
    "the last alone": lambda name: (name, moved(below(f"images/{name}"), f"images/{name[:6]}", "")),
}


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("folder", ["", "images/"])
def test_local_archives_hold_their_folder_at_any_usual_depth(
    layout: str, folder: str, raw: Path, tmp_path: Path
) -> None:
    files = dict(LAYOUTS[layout](name) for name in NAMES)
    copies = {f"{folder}{file_of(name)}": zipped(inner) for name, inner in files.items()}
    place = write(tmp_path / "copy", copies)
    from_place(raw, place)
    assert content(raw) == RECORDINGS
    marks = [raw / "images" / name / "ours" for name in NAMES]
    for mark in marks:
        mark.touch()
    from_place(raw, place)
    assert all(mark.exists() for mark in marks)  # nothing was unpacked again
    assert content(place) == copies


@pytest.mark.parametrize("pack", [zipped, tarred])
@pytest.mark.parametrize("wrapper", ["", "kaist-cvpr15/"])
@pytest.mark.parametrize("alone", [True, False])
def test_one_archive_of_all_serves_too(
    pack: object, wrapper: str, alone: bool, raw: Path, tmp_path: Path
) -> None:
    assert callable(pack)
    everything = pack(moved({**TEXTS, **RECORDINGS}, "", wrapper))
    place = write(tmp_path / "copy", {"big.bin": everything} if alone else {"big.tar": everything})
    source = place / "big.bin" if alone else place
    from_place(raw, source)
    texts = Archive("annotations.zip", (), "annotations", None, 1 << 20)
    from_place(raw, source, [texts])
    assert content(raw) == RECORDINGS | TEXTS
    assert tidy(raw)


def test_archives_of_sets_serve_too_and_annotations_are_no_images(
    raw: Path, tmp_path: Path
) -> None:
    copies = {
        f"{name}.zip": zipped(moved(below(f"images/{name}"), "images/", ""))
        for name in ("set00", "set06")
    }
    texts = {"annotations.zip": zipped(moved(TEXTS, "annotations/", ""))}
    place = write(tmp_path / "copy", texts)
    with pytest.raises(BadInput, match="3 of 3 archives"):
        from_place(raw, place)
    write(place, copies)
    from_place(raw, place)
    assert content(raw) == RECORDINGS
    from_place(raw, place, [Archive("annotations.zip", (), "annotations", None, 1 << 20)])
    assert content(raw) == RECORDINGS | TEXTS


@pytest.mark.parametrize("above", ["", "kaist-cvpr15"])
def test_an_unpacked_copy_is_linked_to_and_the_rest_unpacked_beside(
    above: str, raw: Path, tmp_path: Path
) -> None:
    place = write(tmp_path / "copy", {"set06_V000.zip": ZIPS["set06_V000.zip"]})
    write(place / above, below("images/set00"))
    before = content(place)
    for _ in range(2):
        from_place(raw, place)
        assert (raw / "images/set00/V001").resolve() == place / above / "images/set00/V001"
        assert content(raw) == RECORDINGS
        assert content(place) == before  # nothing was unpacked into it


def test_another_source_takes_the_place_and_touches_none_before(
    server: Server, raw: Path, tmp_path: Path
) -> None:
    unpacked = write(tmp_path / "unpacked", RECORDINGS)
    packed = write(tmp_path / "packed", ZIPS)
    ways = (
        lambda: from_network(server, raw),
        lambda: from_place(raw, unpacked),
        lambda: from_place(raw, packed),
        lambda: from_place(raw, unpacked),
        lambda: from_network(server, raw),
    )
    links = []
    for way in ways:
        way()
        assert content(raw) == RECORDINGS
        links.append((raw / "images/set00/V000").is_symlink())
    assert links == [False, True, False, True, False]
    assert content(unpacked) == RECORDINGS
    assert content(packed) == ZIPS
    assert tidy(raw)


def test_archives_of_whole_sets_take_over_from_those_of_recordings(
    server: Server, raw: Path
) -> None:
    del server.files["set00_V001.zip"]
    with pytest.raises(BadInput):
        from_network(server, raw)
    server.files["set00.zip"] = zipped(below("images/set00"))
    wanted = [Archive("set00.zip", (f"{server.base}set00.zip",), "images/set00", None, 1 << 20)]
    bring_archives(raw, wanted, name="kaist", source=None)
    asked = len(server.asked_for)
    from_network(server, raw)  # each recording lies in a set that is there
    assert content(raw) == RECORDINGS
    assert len(server.asked_for) == asked


def test_what_a_copy_lacks_or_holds_broken_is_named(raw: Path, tmp_path: Path) -> None:
    broken = {**ZIPS, "set00_V001.zip": b"<html>not found</html>"}
    del broken["set06_V000.zip"]
    place = write(tmp_path / "copy", broken)
    with pytest.raises(BadInput) as caught:
        from_place(raw, place)
    assert "2 of 3 archives" in caught.value.given
    assert "set00_V001.zip is no archive" in caught.value.given
    assert f"set06_V000.zip: it is not in {place}" in caught.value.given
    assert f"in {raw} are set00_V000.zip" in caught.value.needed
    assert f"put set00_V001.zip, or a folder images/set00/V001, and the others into {place}" in (
        caught.value.remedy
    )
    assert content(raw) == below("images/set00/V000")
    with pytest.raises(BadInput, match="nowhere', which does not exist"):
        from_place(raw, tmp_path / "nowhere")


def test_an_archive_of_other_recordings_is_not_taken(server: Server, raw: Path) -> None:
    server.files["set00_V001.zip"] = zipped(below("images/set06/V000"))
    with pytest.raises(BadInput, match="holds no folder `images/set00/V001`"):
        from_network(server, raw)
    assert content(raw) == below("images/set00/V000") | below("images/set06")


def test_an_archive_that_unpacks_to_too_much_is_refused(server: Server, raw: Path) -> None:
    *wanted, last = archives(server.base)
    wanted.append(replace(last, max_bytes=9))
    with pytest.raises(BadInput, match=r"announces \d+ bytes, and at most 9 are taken"):
        bring_archives(raw, wanted, name="kaist", source=None)
    assert content(raw) == below("images/set00")


def test_a_full_disk_loses_nothing(
    server: Server, raw: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("thermochroma.data.acquisition.unpack._write", full)
        with pytest.raises(OSError, match="No space"):
            from_network(server, raw)
    from_network(server, raw)
    assert server.asked_for == list(ZIPS)  # the archive that had come was kept
    assert content(raw) == RECORDINGS
    assert tidy(raw)


def test_a_copy_of_another_checksum_is_used_and_told_of(raw: Path, tmp_path: Path) -> None:
    """Whoever names a copy vouches for it: the same files may have been packed anew."""
    from_place(raw, write(tmp_path / "copy", ZIPS), archives(md5="0" * 32))
    assert content(raw) == RECORDINGS
    assert len(warnings_noted(raw)) == 3


def test_an_archive_that_has_changed_since_the_first_time_is_refused(
    server: Server, raw: Path
) -> None:
    from_network(server, raw)
    shutil.rmtree(raw)
    server.files["set00_V001.zip"] = zipped(below("images/set00/V001") | {"more": b"more"})
    with pytest.raises(BadInput, match=r"set00_V001\.zip \(it gives other bytes than before"):
        from_network(server, raw)
    assert content(raw) == below("images/set00/V000") | below("images/set06")
    raw.with_name("kaist.downloads.json").unlink()
    from_network(server, raw)
    assert content(raw) == RECORDINGS
