"""The downloader against a server of our own that misbehaves in every way it must survive."""

import hashlib
import io
import random
import socket
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType

import pytest
import requests

from tests.server import GONE, Server, serving
from thermochroma.base.errors import BadInput
from thermochroma.data.acquisition.fetch import CHUNK_BYTES, differs_from_list, fetch
from thermochroma.data.acquisition.ledger import Download, Ledger

BODY = random.Random(0).randbytes(300_000)
OTHER = random.Random(1).randbytes(300_000)


@pytest.fixture
def server() -> Iterator[Server]:
    with serving({"file.bin": BODY}) as server:
        yield server


def get(server: Server, path: Path, **more: object) -> None:
    fetch([server.url], path, timeout_seconds=5.0, wait_seconds=0.001, **more)


def alone(path: Path) -> bool:
    return [file.name for file in path.parent.iterdir()] == [path.name]


def test_the_file_comes_whole_and_only_once(server: Server, tmp_path: Path) -> None:
    path = tmp_path / "file.bin"
    get(server, path, sha256=hashlib.sha256(BODY).hexdigest(), bytes_expected=len(BODY))
    get(server, path)
    assert path.read_bytes() == BODY
    assert alone(path)
    assert server.asked == [""]


@pytest.mark.parametrize("seed", range(10))
def test_a_line_that_is_cut_is_taken_up_where_it_broke(
    seed: int, server: Server, tmp_path: Path
) -> None:
    dice = random.Random(seed)
    server.cuts = [dice.randrange(CHUNK_BYTES, len(BODY) // 8) for _ in range(7)]
    sent = sum(server.cuts)
    get(server, tmp_path / "file.bin", attempts=2)
    assert (tmp_path / "file.bin").read_bytes() == BODY
    resumed_at = int(server.asked[-1].removeprefix("bytes=").removesuffix("-"))
    assert sent - 7 * CHUNK_BYTES < resumed_at <= sent


@pytest.mark.parametrize("seed", range(5))
def test_fifty_random_cuts_among_other_troubles_give_the_right_bytes(
    seed: int, server: Server, tmp_path: Path
) -> None:
    """Ten cuts each, at any byte, before the answer, too; the file changes after the fifth."""
    dice = random.Random(seed)
    server.cuts = [dice.randrange(len(BODY) // 6) for _ in range(10)]
    seen: list[int] = []

    def trouble() -> None:
        seen.append(len(server.cuts))
        server.statuses += [(dice.choice([GONE, 416, 429, 503]), {})] * dice.randrange(2)
        if len(server.cuts) == 5:
            server.files["file.bin"], server.tag = OTHER, '"two"'

    server.after_cut = trouble
    get(server, tmp_path / "file.bin", attempts=12)
    assert (tmp_path / "file.bin").read_bytes() == OTHER
    assert alone(tmp_path / "file.bin")
    assert len(seen) == 10


def test_bytes_of_a_killed_download_are_used_by_the_next(server: Server, tmp_path: Path) -> None:
    path = tmp_path / "file.bin"
    server.cuts, server.statuses = [25 * CHUNK_BYTES], []
    server.after_cut = lambda: server.statuses.extend([(404, {})])
    with pytest.raises(BadInput):
        get(server, path)
    assert not path.exists()
    get(server, path)
    assert server.asked == ["", "bytes=102400-", "bytes=102400-"]
    assert path.read_bytes() == BODY


@pytest.mark.parametrize("regards_if_range", [True, False])
def test_a_file_changed_in_between_is_never_mixed(
    regards_if_range: bool, server: Server, tmp_path: Path
) -> None:
    def change() -> None:
        server.files["file.bin"], server.tag = OTHER, '"two"'

    server.cuts, server.after_cut, server.regards_if_range = [70_000], change, regards_if_range
    get(server, tmp_path / "file.bin")
    assert (tmp_path / "file.bin").read_bytes() == OTHER


@pytest.mark.parametrize("tag, date", [("", ""), ('W/"weak"', "")])
def test_without_a_sure_version_it_begins_anew(
    tag: str, date: str, server: Server, tmp_path: Path
) -> None:
    server.cuts, server.tag, server.date = [70_000], tag, date
    get(server, tmp_path / "file.bin")
    assert server.asked == ["", ""]
    assert (tmp_path / "file.bin").read_bytes() == BODY


def test_the_date_serves_where_the_tag_is_weak(server: Server, tmp_path: Path) -> None:
    server.cuts, server.tag, server.date = [70_000], 'W/"weak"', "Tue, 01 Jan 2019 00:00:00 GMT"
    get(server, tmp_path / "file.bin")
    assert server.asked == ["", "bytes=69632-"]


def test_a_server_that_ignores_ranges_begins_anew(server: Server, tmp_path: Path) -> None:
    server.ranges, server.cuts = False, [70_000, 40_000, 10]
    get(server, tmp_path / "file.bin")
    assert (tmp_path / "file.bin").read_bytes() == BODY


def test_busy_servers_are_asked_again(server: Server, tmp_path: Path) -> None:
    server.statuses = [(503, {"Retry-After": "0"}), (429, {"Retry-After": "0"}), (500, {})]
    get(server, tmp_path / "file.bin")
    assert len(server.asked) == 4


def test_retry_after_is_obeyed(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pauses: list[float] = []
    monkeypatch.setattr("thermochroma.data.acquisition.fetch.time.sleep", pauses.append)
    server.statuses = [
        (503, {"Retry-After": "7"}),
        (503, {"Retry-After": "86400"}),
        (503, {"Retry-After": "Tue, 01 Jan 2019 00:00:00 GMT"}),
        (503, {}),
    ]
    get(server, tmp_path / "file.bin")
    assert pauses == [7, 60, 0, 0.008]  # asked; asked but bounded; long past; 2 ** 3 thousandths


def test_a_range_that_is_refused_begins_anew(server: Server, tmp_path: Path) -> None:
    server.cuts = [70_000]
    server.after_cut = lambda: server.statuses.append((416, {}))
    get(server, tmp_path / "file.bin")
    assert server.asked == ["", "bytes=69632-", ""]
    assert (tmp_path / "file.bin").read_bytes() == BODY


def test_a_length_that_is_never_reached_ends_with_a_sentence(
    server: Server, tmp_path: Path
) -> None:
    server.extra = 1000
    with pytest.raises(BadInput, match=r"file\.bin could not be fetched from http://127"):
        get(server, tmp_path / "file.bin", attempts=3)
    assert not (tmp_path / "file.bin").exists()
    assert len(server.asked) < 10


def test_a_file_of_another_size_is_not_taken(server: Server, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="announces 300000 bytes, and at most 5 are taken"):
        get(server, tmp_path / "file.bin", bytes_expected=5, attempts=2)
    assert list(tmp_path.iterdir()) == []


def test_a_wrong_checksum_leaves_nothing(server: Server, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="SHA-256"):
        get(server, tmp_path / "file.bin", sha256="0" * 64)
    assert list(tmp_path.iterdir()) == []


def test_the_next_address_is_taken_and_each_failure_named(server: Server, tmp_path: Path) -> None:
    dead = "http://127.0.0.1:9/file.bin"
    options = {"attempts": 2, "timeout_seconds": 2.0, "wait_seconds": 0.001}
    fetch([dead, server.url], tmp_path / "file.bin", **options)
    assert (tmp_path / "file.bin").read_bytes() == BODY
    server.statuses = [(404, {})]
    with pytest.raises(BadInput) as caught:
        fetch([dead, server.url], tmp_path / "another", **options)
    assert f"{dead} (" in str(caught.value)
    assert f"{server.url} (status 404)" in str(caught.value)
    assert "refused" in str(caught.value)
    assert "sources.<data set>.source" in caught.value.remedy


def test_a_length_that_is_too_short_is_found_by_what_is_expected(
    server: Server, tmp_path: Path
) -> None:
    server.extra = -1000
    for expected in ({"bytes_expected": len(BODY)}, {"sha256": hashlib.sha256(BODY).hexdigest()}):
        with pytest.raises(BadInput, match=r"299000 bytes came, 300000|SHA-256"):
            get(server, tmp_path / "file.bin", attempts=2, **expected)
        assert list(tmp_path.iterdir()) == []


def test_a_host_that_does_not_answer_is_asked_for_one_file_only(
    server: Server, tmp_path: Path
) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # and does not listen
        dead = f"127.0.0.1:{taken.getsockname()[1]}"
        silent: set[str] = set()
        options = {"attempts": 2, "wait_seconds": 0.001, "silent_hosts": silent}
        fetch([f"http://{dead}/one", server.url], tmp_path / "one", **options)
        assert silent == {f"http://{dead}"}
        with pytest.raises(BadInput, match=r"/two \(the host did not answer before\)"):
            fetch([f"http://{dead}/two"], tmp_path / "two", **options)
    server.statuses = [(404, {}), (503, {}), (GONE, {}), (503, {})]
    for _ in range(2):  # a host that answers, however badly, is asked again
        with pytest.raises(BadInput):
            fetch([server.url], tmp_path / "two", **{**options, "attempts": 3})
        server.statuses = [(503, {})] * 3
    assert silent == {f"http://{dead}"}


def test_another_checksum_than_the_listed_one_is_told_of_and_stops_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "set00_V000.zip"
    path.write_bytes(BODY)
    md5 = hashlib.md5(BODY).hexdigest()
    assert differs_from_list(path, md5) == []
    assert differs_from_list(path, None) == []
    assert capsys.readouterr().out == ""
    (warning,) = differs_from_list(path, "0" * 32)
    assert warning == (
        f"set00_V000.zip has the MD5 {md5}, the published list {'0' * 32}: it is another version"
    )
    assert warning in capsys.readouterr().out


def test_an_answer_without_end_stops_at_the_ceiling(server: Server, tmp_path: Path) -> None:
    """Without a length the ceiling alone ends it; with one, no byte is asked for."""
    server.endless = True
    with pytest.raises(BadInput, match=r"file\.bin \(it sends more than 1000000 bytes\)"):
        get(server, tmp_path / "file.bin", most_bytes=1_000_000)
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(BadInput, match="it sends more than 300000 bytes"):
        get(server, tmp_path / "file.bin", bytes_expected=300_000)
    server.endless = False
    with pytest.raises(BadInput, match="announces 300000 bytes, and at most 299999 are taken"):
        get(server, tmp_path / "file.bin", most_bytes=299_999)
    assert list(tmp_path.iterdir()) == []
    get(server, tmp_path / "file.bin", most_bytes=300_000)


@pytest.mark.parametrize(
    "headers",
    [{"Content-Length": "\u00b2"}, {"Retry-After": "\u00b2"}, {"Retry-After": "9" * 5000},
     {"Retry-After": "Mon, 01 Jan 0001 00:00:00 +1400"}, {"Location": "http://[", "status": "302"}],
)  # fmt: skip
def test_nonsense_in_a_header_is_no_traceback(
    headers: dict[str, str], server: Server, tmp_path: Path
) -> None:
    status = int(headers.pop("status", "503"))
    server.statuses = [(status, headers)]
    try:
        get(server, tmp_path / "file.bin")
    except BadInput as problem:
        assert status == 302
        assert "could not be fetched" in problem.given
    else:
        assert (tmp_path / "file.bin").read_bytes() == BODY


def test_a_safe_address_that_leads_to_an_unsafe_one_is_not_followed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """d2l-ai/d2l-en#2714: data by plain HTTP can be exchanged by anyone on the way."""

    def answer(url: str, **_: object) -> requests.Response:
        made = requests.Response()
        made.status_code, made.url = 200, "http://elsewhere.example/file.bin"
        made.raw = io.BytesIO(BODY)
        return made

    monkeypatch.setattr("thermochroma.data.acquisition.fetch.requests.get", answer)
    with pytest.raises(BadInput, match="leads on to an address by plain HTTP"):
        fetch(["https://good.example/file.bin"], tmp_path / "file.bin")
    assert list(tmp_path.iterdir()) == []


def test_another_file_than_the_published_gives_way_to_the_next_address(tmp_path: Path) -> None:
    with serving({"a": OTHER, "b": BODY}) as server:
        urls = [f"{server.base}a", f"{server.base}b"]
        for sums in (
            {"md5": hashlib.md5(BODY).hexdigest()},
            {"sha256": hashlib.sha256(BODY).hexdigest()},
        ):
            fetch(urls, tmp_path / "file.bin", **sums)
            assert (tmp_path / "file.bin").read_bytes() == BODY
            (tmp_path / "file.bin").unlink()
        with pytest.raises(BadInput, match=r"/a \(its bytes have the MD5 .*/b \(its bytes have"):
            fetch(urls, tmp_path / "file.bin", md5="0" * 32)
    assert list(tmp_path.iterdir()) == []


def test_what_came_first_must_come_again(server: Server, tmp_path: Path) -> None:
    path, ledger = tmp_path / "file.bin", Ledger(tmp_path / "ledger.json")
    get(server, path, ledger=ledger)
    path.unlink()
    get(server, path, ledger=ledger)
    assert ledger.entries() == {server.url: Download(hashlib.sha256(BODY).hexdigest(), len(BODY))}
    path.unlink()
    server.files["file.bin"] = OTHER
    with pytest.raises(
        BadInput, match=r"other bytes than before: .*ledger\.json.*remove that entry"
    ):
        get(server, path, ledger=ledger)
    assert not path.exists()
    ledger.forget([server.url])
    assert not ledger.path.exists()
    get(server, path, ledger=ledger)
    ledger.path.write_text('{"address": 3}')
    with pytest.raises(BadInput, match=r"ledger\.json cannot be read .*; remove it"):
        ledger.entries()


DRIVE = "https://drive.google.com/uc?id=1ZcJ0EfF5n_uqtsLc7-8hJgTcr2zHSXY3"


class Refused(Exception):
    """What stands for the drive client's own error."""


def drive(monkeypatch: pytest.MonkeyPatch, download: Callable[..., object]) -> None:
    """Let `download` stand for the client, which needs the network."""
    client = ModuleType("gdown")
    client.__dict__.update(download=download, DownloadError=Refused)
    monkeypatch.setitem(sys.modules, "gdown", client)


def test_a_drive_is_asked_again_and_its_file_checked_like_any_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tries = []

    def download(url: str, output: str, **options: object) -> None:
        tries.append(url)
        Path(f"{output}abcdefgh.part").write_bytes(BODY[:1000])
        if len(tries) < 3:
            raise requests.ConnectionError("cut")
        options["progress"](len(BODY), len(BODY))  # type: ignore[operator]
        Path(output).write_bytes(BODY)

    drive(monkeypatch, download)
    digits = hashlib.sha256(BODY).hexdigest()
    fetch([DRIVE], tmp_path / "irvi.zip", sha256=digits, wait_seconds=0.001)
    assert tries == [DRIVE] * 3
    assert (tmp_path / "irvi.zip").read_bytes() == BODY
    assert alone(tmp_path / "irvi.zip")
    with pytest.raises(BadInput, match="SHA-256"):
        fetch([DRIVE], tmp_path / "other.zip", sha256="0" * 64, wait_seconds=0.001)
    assert not (tmp_path / "other.zip").exists()


@pytest.mark.parametrize("url", [DRIVE, DRIVE.replace("uc?id=", "file/d/") + "/view"])
def test_a_drive_that_refuses_ends_with_the_link_for_a_browser(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def download(*_: object, **__: object) -> None:
        raise Refused("Failed to retrieve file url:\n\n\tToo many users.\n\nYou may try a browser")

    drive(monkeypatch, download)
    with pytest.raises(BadInput) as caught:
        fetch([url], tmp_path / "irvi.zip", attempts=2, wait_seconds=0.001)
    page = "https://drive.google.com/file/d/1ZcJ0EfF5n_uqtsLc7-8hJgTcr2zHSXY3/view"
    assert f"Too many users; try tomorrow, or in a browser at {page}" in caught.value.given
    assert "\n" not in str(caught.value)
    assert list(tmp_path.iterdir()) == []


def test_a_drive_that_sends_too_much_is_stopped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def download(url: str, output: str, **options: object) -> None:
        for done in range(0, 10_000_000, 1000):
            Path(f"{output}abcdefgh.part").write_bytes(BODY[:1000])
            options["progress"](done, None)  # type: ignore[operator]

    drive(monkeypatch, download)
    with pytest.raises(BadInput, match="it sends more than 5000 bytes"):
        fetch([DRIVE], tmp_path / "irvi.zip", attempts=2, wait_seconds=0.001, most_bytes=5000)
    assert list(tmp_path.iterdir()) == []


def test_whatever_the_drives_client_raises_is_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def download(*_: object, **__: object) -> None:
        raise KeyError("the page is another one now")

    drive(monkeypatch, download)
    with pytest.raises(BadInput, match="gives no file now: 'the page is another one now'"):
        fetch([DRIVE], tmp_path / "irvi.zip", attempts=2, wait_seconds=0.001)
