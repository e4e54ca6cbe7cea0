"""The downloader against a server of our own that misbehaves in every way it must survive."""

import hashlib
import random
import re
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from thermochroma.errors import BadInput
from thermochroma.preparation.fetch import CHUNK_BYTES, fetch

BODY = random.Random(0).randbytes(300_000)
OTHER = random.Random(1).randbytes(300_000)


class Server:
    """What is served, and how badly: the attributes are set by the tests."""

    def __init__(self) -> None:
        self.body, self.tag, self.date = BODY, '"one"', ""
        self.cuts: list[int] = []  # bytes after which the next answers are cut
        self.statuses: list[tuple[int, dict[str, str]]] = []  # answers before any body
        self.ranges, self.regards_if_range, self.extra = True, True, 0
        self.asked: list[str] = []
        self.after_cut = lambda: None
        self.http = ThreadingHTTPServer(("127.0.0.1", 0), self.handler())
        self.url = f"http://127.0.0.1:{self.http.server_port}/file.bin"

    def handler(server) -> type[BaseHTTPRequestHandler]:  # noqa: N805 (`self` is the handler's)
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                server.answer(self)

            def log_message(self, *words: object) -> None:
                pass

        return Handler

    def answer(self, request: BaseHTTPRequestHandler) -> None:
        self.asked.append(request.headers.get("Range", ""))
        if self.statuses:
            status, headers = self.statuses.pop(0)
            return self.head(request, status, headers | {"Content-Length": "0"})
        start = self.start_of(request)
        if start >= len(self.body):
            return self.head(request, 416, {"Content-Range": f"bytes */{len(self.body)}"})
        headers = {"ETag": self.tag, "Last-Modified": self.date}
        headers["Content-Length"] = str(len(self.body) - start + self.extra)
        if start:
            headers["Content-Range"] = f"bytes {start}-{len(self.body) - 1}/{len(self.body)}"
        self.head(request, 206 if start else 200, {k: v for k, v in headers.items() if v})
        end = start + self.cuts.pop(0) if self.cuts else len(self.body)
        request.wfile.write(self.body[start:end])
        if end < len(self.body):
            self.after_cut()
        return None

    def start_of(self, request: BaseHTTPRequestHandler) -> int:
        found = re.fullmatch(r"bytes=(\d+)-", request.headers.get("Range", ""))
        same = request.headers.get("If-Range") in (self.tag, self.date)
        usable = self.ranges and (same or not self.regards_if_range)
        return int(found[1]) if found and usable else 0

    def head(self, request: BaseHTTPRequestHandler, status: int, headers: dict[str, str]) -> None:
        request.send_response(status)
        for name, value in headers.items():
            request.send_header(name, value)
        request.end_headers()


@pytest.fixture
def server() -> Iterator[Server]:
    server = Server()
    thread = threading.Thread(target=server.http.serve_forever, args=(0.01,))
    thread.start()
    yield server
    server.http.shutdown()
    thread.join()
    server.http.server_close()


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
        server.body, server.tag = OTHER, '"two"'

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
    monkeypatch.setattr("thermochroma.preparation.fetch.time.sleep", pauses.append)
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
    with pytest.raises(BadInput, match="300000 bytes came where 5 were expected"):
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
