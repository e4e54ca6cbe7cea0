"""One archive from the network: taken once, and never kept when it is no good."""

import hashlib
import io
import shutil
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.server import Server, serving
from thermochroma.base.errors import BadInput
from thermochroma.data.acquisition.local import bring


def zipped(*names: str) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for name in names:
            archive.writestr(name, name * 1000)
    return stream.getvalue()


GOOD = zipped("top/thermal/a", "top/visible/a")


@pytest.fixture
def server() -> Iterator[Server]:
    with serving({"all.zip": GOOD}) as server:
        yield server


def brought(server: Server, raw: Path) -> None:
    bring(raw, name="roads", source=None, addresses=[server.url], holds=("thermal", "visible"))


def test_an_archive_is_fetched_once_and_removed(server: Server, tmp_path: Path) -> None:
    for _ in range(2):
        brought(server, tmp_path / "raw" / "roads")
        assert (tmp_path / "raw/roads/visible/a").read_text() == "top/visible/a" * 1000
        assert sorted(path.name for path in (tmp_path / "raw").iterdir()) == [
            "roads", "roads.downloads.json"
        ]  # fmt: skip
    assert len(server.asked) == 1


@pytest.mark.parametrize(
    "bad, sentence",
    [
        (GOOD[:1500], "cannot be read"),
        (b"<html>moved</html>", "neither a folder nor an archive"),
        (zipped("top/thermal/a"), "lacks `visible`"),
        (zipped("top/thermal/a", "../evil"), "lies outside the folder"),
    ],
    ids=[
        "cut",
        "a page",
        "half",
        "evil",
    ],  # an archive's bytes hold the time, and so would the name
)
def test_what_is_no_good_is_fetched_anew_by_the_next_run(
    bad: bytes, sentence: str, server: Server, tmp_path: Path
) -> None:
    server.files["all.zip"] = bad
    with pytest.raises(BadInput, match=sentence):
        brought(server, tmp_path / "raw" / "roads")
    assert list((tmp_path / "raw").iterdir()) == []
    server.files["all.zip"] = GOOD
    brought(server, tmp_path / "raw" / "roads")
    assert (tmp_path / "raw/roads/thermal/a").exists()


def test_an_archive_that_has_changed_since_the_first_time_is_refused(
    server: Server, tmp_path: Path
) -> None:
    brought(server, tmp_path / "raw" / "roads")
    shutil.rmtree(tmp_path / "raw/roads")
    server.files["all.zip"] = zipped("top/thermal/a", "top/visible/a", "top/visible/b")
    with pytest.raises(BadInput, match=r"other bytes than before: .*remove that entry"):
        brought(server, tmp_path / "raw" / "roads")
    assert [path.name for path in (tmp_path / "raw").iterdir()] == ["roads.downloads.json"]
    (tmp_path / "raw/roads.downloads.json").unlink()
    brought(server, tmp_path / "raw" / "roads")
    assert (tmp_path / "raw/roads/visible/b").exists()


def test_an_archive_of_another_checksum_than_the_settings_tell_is_refused(
    server: Server, tmp_path: Path
) -> None:
    def bring_of(sha256: str) -> None:
        raw, holds = tmp_path / "raw/roads", ("thermal", "visible")
        bring(raw, name="roads", source=None, addresses=[server.url], holds=holds, sha256=sha256)

    with pytest.raises(BadInput, match="have the SHA-256"):
        bring_of("0" * 64)
    bring_of(hashlib.sha256(GOOD).hexdigest())
    assert (tmp_path / "raw/roads/visible/a").exists()
