"""A server on loopback that misbehaves in every way that a downloader must survive."""

import re
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Final

GONE: Final = 0  # a status for an answer that never comes: the line is cut before it


class Server:
    """What is served, and how badly: the attributes are set by the tests."""

    def __init__(self, files: Mapping[str, bytes]) -> None:
        self.files = dict(files)
        self.tag, self.date = '"one"', ""
        self.cuts: list[int] = []  # bytes after which the next answers are cut
        self.statuses: list[tuple[int, dict[str, str]]] = []  # answers before any body
        self.ranges, self.regards_if_range, self.extra = True, True, 0
        self.endless = False  # the body comes again and again, without a length
        self.asked: list[str] = []  # the ranges, "" for a whole file
        self.asked_for: list[str] = []  # the names
        self.after_cut: Callable[[], object] = lambda: None
        self.http = ThreadingHTTPServer(("127.0.0.1", 0), self.handler())
        self.base = f"http://127.0.0.1:{self.http.server_port}/"
        self.url = self.base + next(iter(self.files))

    def handler(server) -> type[BaseHTTPRequestHandler]:  # noqa: N805 (`self` is the handler's)
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                server.answer(self)

            def log_message(self, *words: object) -> None:
                pass

        return Handler

    def answer(self, request: BaseHTTPRequestHandler) -> None:
        self.asked.append(request.headers.get("Range", ""))
        self.asked_for.append(request.path.lstrip("/"))
        body = self.files.get(self.asked_for[-1])
        if self.statuses or body is None:
            status, headers = self.statuses.pop(0) if self.statuses else (404, {})
            if status != GONE:
                self.head(request, status, headers | {"Content-Length": "0"})
        else:
            self.send(request, body)

    def send(self, request: BaseHTTPRequestHandler, body: bytes) -> None:
        start = self.start_of(request)
        if start >= len(body) > 0:
            self.head(request, 416, {"Content-Range": f"bytes */{len(body)}"})
            return
        headers = {"ETag": self.tag, "Last-Modified": self.date}
        if self.endless:
            self.head(request, 200, {})
            with suppress(ConnectionError):  # whoever has enough hangs up
                while True:
                    request.wfile.write(body)
            return
        headers["Content-Length"] = str(len(body) - start + self.extra)
        if start:
            headers["Content-Range"] = f"bytes {start}-{len(body) - 1}/{len(body)}"
        self.head(request, 206 if start else 200, {k: v for k, v in headers.items() if v})
        end = start + self.cuts.pop(0) if self.cuts else len(body)
        request.wfile.write(body[start:end])
        if end < len(body):
            self.after_cut()

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


@contextmanager
def serving(files: Mapping[str, bytes]) -> Iterator[Server]:
    """A server of `files`, by name; its `url` is that of the first."""
    server = Server(files)
    thread = threading.Thread(target=server.http.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield server
    finally:
        server.http.shutdown()
        thread.join()
        server.http.server_close()
