"""One archive from the network: taken once, and never kept when it is no good."""

import io
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
        assert [path.name for path in (tmp_path / "raw").iterdir()] == ["roads"]
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
