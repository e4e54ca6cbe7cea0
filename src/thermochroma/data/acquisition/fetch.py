"""Download one file: resumed, retried, checked, whole or not at all.

During a download there are, beside `path`, `<name>.part` (the bytes so far) and `<name>.part.json`
(their address and version). A killed download continues from them; bytes of two versions never mix,
because a part is only continued if the server confirms its version.
Links of Google Drive lead to a web page, and are fetched by a client of their own.
"""

import hashlib
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from pathlib import Path
from typing import NoReturn
from urllib.parse import urlsplit

import requests
from tqdm import tqdm

from thermochroma.base import files
from thermochroma.base.errors import BadInput
from thermochroma.data.acquisition.google_drive import (
    DriveRefusal,
    TooManyBytesError,
    fetch_from_drive,
    is_drive,
)
from thermochroma.data.acquisition.ledger import Download, Ledger
from thermochroma.data.acquisition.partial_file import PartialFile, Version

CHUNK_BYTES = 1 << 12  # small, because the chunk in which a line is cut is lost
LONGEST_WAIT_SECONDS = 60.0
TRIES_FOR_EACH_ATTEMPT = 20  # limit for a connection that breaks often but still brings bytes
MOST_DIGITS = 18  # of a length or a pause in a header
CUTS = (
    requests.ConnectionError,
    requests.Timeout,
    requests.exceptions.ChunkedEncodingError,  # also raised if the connection breaks in the body
)
PASSING = {
    HTTPStatus.REQUEST_TIMEOUT,
    HTTPStatus.TOO_MANY_REQUESTS,
    HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE,
}


class _TryAgainError(Exception):
    """A failed try after which another may succeed.

    wait: pause that the server asked for, in seconds. answered: whether a server answered at all.
    """

    def __init__(self, cause: str, wait: float | None = None, *, answered: bool = True) -> None:
        super().__init__(cause)
        self.wait = wait
        self.answered = answered


class _NextAddressError(Exception):
    """An address that will not give the file, or gives another.

    answered: whether a server answered at all.
    """

    def __init__(self, cause: str, *, answered: bool = True) -> None:
        super().__init__(cause)
        self.answered = answered


def fetch(
    urls: Sequence[str],
    path: Path,
    *,
    sha256: str | None = None,
    md5: str | None = None,
    bytes_expected: int | None = None,
    most_bytes: int = 1 << 30,
    ledger: Ledger | None = None,
    attempts: int = 5,
    timeout_seconds: float = 30.0,
    wait_seconds: float = 1.0,
    silent_hosts: set[str] | None = None,
    by_hand: str = "get the file by hand and set `sources.<data set>.source` to it",
) -> None:
    """Fetch a file to `path` from the first of `urls` that works, unless the right file is there.

    sha256: the file's checksum, or its first digits. md5: another one, where the publisher tells no
    better. most_bytes: ceiling, for servers that send without end; `bytes_expected` goes before it.
    ledger: what came from an address before must come again, and the first time is noted. attempts:
    tries in a row without a new byte, after which the next address is taken. wait_seconds: the first
    pause between tries; it doubles, unless the server asks for another by Retry-After. silent_hosts:
    hosts that are skipped ("https://host"); one that does not answer here is added, so that of many files
    only the first waits for it. by_hand: what a user can do without this function, for the error.

    Raises BadInput if no address gives the file that is expected. Without a checksum, `bytes_expected`
    and a length from the server, a broken connection looks like the end.
    """
    part = PartialFile(path, bytes_expected, most_bytes)
    if path.exists() and (sha256 is None or files.sha256(path).startswith(sha256)):
        part.sweep()
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    silent = set() if silent_hosts is None else silent_hosts
    causes = []
    for url in urls:
        try:
            _refuse_silent(url, silent)
            _fetch_from(url, part, attempts, timeout_seconds, wait_seconds)
            _check(url, part, sha256, md5, ledger)
            break
        except _NextAddressError as cause:
            causes.append(f"{url} ({cause})")
            if not cause.answered:
                silent.add(_host(url))
    else:
        _give_up(path, causes, by_hand)
    part.finish()


def differs_from_list(path: Path, md5: str | None) -> list[str]:
    """Return a warning, and print it, if the MD5 of `path` differs from the published list.

    Only a warning, for archives that a user vouches for: the same files may have been packed anew.
    """
    if md5 is None:
        return []
    found = _md5_of(path)
    if found == md5:
        return []
    warning = f"{path.name} has the MD5 {found}, the published list {md5}: it is another version"
    tqdm.write(f"warning: {warning}")
    return [warning]


def _fetch_from(
    url: str, part: PartialFile, attempts: int, timeout_seconds: float, wait_seconds: float
) -> None:
    """Try `url` until the part is complete; raises _NextAddressError if that is hopeless."""
    failed, answered = 0, False
    for _ in range(attempts * TRIES_FOR_EACH_ATTEMPT):
        try:
            return _try_once(url, part, timeout_seconds)
        except _TryAgainError as trouble:
            failed = 0 if part.size() > part.most else failed + 1
            part.most = max(part.most, part.size())
            answered = answered or trouble.answered
            if failed >= attempts:
                raise _NextAddressError(
                    f"{trouble}, {attempts} times in a row", answered=answered
                ) from trouble
            pause = wait_seconds * 2 ** max(failed - 1, 0) if trouble.wait is None else trouble.wait
            time.sleep(min(pause, LONGEST_WAIT_SECONDS))
    raise _NextAddressError("the connection broke too often")


def _try_once(url: str, part: PartialFile, timeout_seconds: float) -> None:
    if is_drive(url):
        return _try_drive(url, part, timeout_seconds)
    known = part.version()
    if known is not None and known.url == url and known.total == part.size():
        return None  # the run was killed between the last byte and the renaming
    headers = {"Accept-Encoding": "identity"}  # so that lengths and ranges count the bytes on disk
    resuming = known is not None and known.url == url
    if known is not None and resuming:
        headers |= {"Range": f"bytes={part.size()}-", "If-Range": known.mark}
    answered = False
    try:
        with requests.get(url, headers=headers, stream=True, timeout=timeout_seconds) as answer:
            answered = True
            _refuse_plain(answer, url)
            return _receive(answer, url, part, known if resuming else None)
    except CUTS as cut:
        raise _TryAgainError(_reason(cut), answered=answered) from cut
    except (requests.RequestException, ValueError) as hopeless:
        raise _NextAddressError(_reason(hopeless)) from hopeless


def _try_drive(url: str, part: PartialFile, timeout_seconds: float) -> None:
    try:
        fetch_from_drive(
            url, part.by_drive, timeout_seconds=timeout_seconds, most_bytes=part.ceiling
        )
    except DriveRefusal as refusal:
        raise _TryAgainError(str(refusal)) from refusal
    except TooManyBytesError as excess:
        part.sweep()
        raise _NextAddressError(str(excess)) from excess
    part.drop()
    part.by_drive.replace(part.bytes)
    _refuse_other_length(part, None)


def _receive(answer: requests.Response, url: str, part: PartialFile, known: Version | None) -> None:
    _refuse_status(answer, part)
    if answer.status_code == HTTPStatus.PARTIAL_CONTENT:
        _refuse_other_piece(answer, part, known)
        total = known.total if known else None
    else:
        total = _number(answer.headers.get("Content-Length", ""))
        if total is not None and total > part.ceiling:
            part.drop()
            raise _NextAddressError(
                f"it announces {total} bytes, and at most {part.ceiling} are taken"
            )
        part.begin(Version(url, _mark_of(answer), total))
    _append(answer, part, total)
    _refuse_other_length(part, total)


def _refuse_other_length(part: PartialFile, total: int | None) -> None:
    wanted = part.expected if part.expected is not None else total
    if wanted is not None and part.size() != wanted:
        given = part.size()
        part.drop()
        raise _TryAgainError(f"{given} bytes came, {wanted} were expected")


def _refuse_status(answer: requests.Response, part: PartialFile) -> None:
    status = answer.status_code
    if status == HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
        part.drop()  # the file has become shorter: begin anew
    if status in PASSING or status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        raise _TryAgainError(f"status {status}", _asked_wait(answer))
    if status not in (HTTPStatus.OK, HTTPStatus.PARTIAL_CONTENT):
        raise _NextAddressError(f"status {status}")


def _refuse_other_piece(
    answer: requests.Response, part: PartialFile, known: Version | None
) -> None:
    """Raise unless a piece starts where ours ends and is of the same version and length."""
    piece = answer.headers.get("Content-Range", "")
    starts = piece.startswith(f"bytes {part.size()}-")
    length = piece.rpartition("/")[2]
    same = known is not None and _mark_of(answer) in ("", known.mark)
    if known is not None and known.total is not None and length != "*":
        same = same and length == str(known.total)
    if not (starts and same):
        part.drop()
        raise _TryAgainError("the server sent another piece than requested")


def _append(answer: requests.Response, part: PartialFile, total: int | None) -> None:
    with (
        part.bytes.open("ab") as stream,
        tqdm(
            total=total,
            initial=part.size(),
            desc=f"fetching {part.path.name}",
            unit="B",
            unit_scale=True,
        ) as bar,
    ):
        size = part.size()
        for chunk in answer.iter_content(CHUNK_BYTES):
            size += len(chunk)
            if size > part.ceiling:
                part.drop()
                raise _NextAddressError(f"it sends more than {part.ceiling} bytes")
            stream.write(chunk)
            bar.update(len(chunk))


def _mark_of(answer: requests.Response) -> str:
    """HTTP validator of this version of the file: a strong ETag, else the date of its last change."""
    tag = answer.headers.get("ETag", "")
    return tag if tag and not tag.startswith("W/") else answer.headers.get("Last-Modified", "")


def _asked_wait(answer: requests.Response) -> float | None:
    asked = answer.headers.get("Retry-After", "")
    if (seconds := _number(asked)) is not None:
        return float(seconds)
    try:
        until = parsedate_to_datetime(asked).astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    return max(0.0, (until - datetime.now(UTC)).total_seconds())


def _number(text: str) -> int | None:
    """A header's number; None for anything else, and for one that no file has."""
    return int(text) if text.isdecimal() and len(text) <= MOST_DIGITS else None


def _reason(error: Exception) -> str:
    """The innermost cause in a few words, without the object addresses that urllib3 prints."""
    cause: BaseException = error
    while (inner := cause.__cause__ or cause.__context__) is not None:
        cause = inner
    return f"{type(error).__name__}: {cause}"


def _refuse_silent(url: str, silent: set[str]) -> None:
    if _host(url) in silent:
        raise _NextAddressError("the host did not answer before")


def _refuse_plain(answer: requests.Response, url: str) -> None:
    """Raise if an address that is safe on the way leads on to one that is not."""
    hops = [hop.url for hop in (*answer.history, answer)]
    if url.startswith("https:") and any(hop.startswith("http:") for hop in hops):
        raise _NextAddressError("it leads on to an address by plain HTTP")


def _host(url: str) -> str:
    """Scheme and host: one may answer by HTTP and not by HTTPS."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def _md5_of(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, _md5).hexdigest()


def _md5() -> "hashlib._Hash":
    return hashlib.md5(usedforsecurity=False)


def _check(
    url: str, part: PartialFile, sha256: str | None, md5: str | None, ledger: Ledger | None
) -> None:
    """Compare the bytes with checksums and with the ledger; drop them if they are others."""
    fault = None
    if md5 is not None and (found := _md5_of(part.bytes)) != md5:
        fault = f"its bytes have the MD5 {found}, those that were published {md5}"
    if sha256 is not None or ledger is not None:
        found = files.sha256(part.bytes)
        if sha256 is not None and not found.startswith(sha256):
            fault = f"its bytes have the SHA-256 {found}, those that are expected {sha256}"
        if ledger is not None:
            fault = fault or ledger.change(url, found)
            if fault is None:
                ledger.note(url, Download(found, part.size()))
    if fault is not None:
        part.drop()
        raise _NextAddressError(fault)


def _give_up(path: Path, causes: Sequence[str], by_hand: str) -> NoReturn:
    raise BadInput(
        given=f"{path.name} could not be fetched from {'; '.join(causes) or 'no address at all'}",
        needed="one address that gives the file as it was published",
        remedy=f"run again (the bytes of a file that is not complete are kept), or {by_hand}",
    )
