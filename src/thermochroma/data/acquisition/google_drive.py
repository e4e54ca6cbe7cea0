"""Fetch a file from Google Drive, whose links lead to a web page that asks for confirmation.

The client is gdown. It resumes a download. It detects a change of the file within one run by its tag;
between two runs only the archive's own checksums detect it.
"""

import re
from pathlib import Path
from urllib.parse import urlsplit

from tqdm import tqdm

from thermochroma.base.reading import OF_THE_MACHINE

HOSTS = ("drive.google.com", "docs.google.com")
RETRIES = 20  # broken connections within one try; each is resumed where it broke


class DriveRefusal(Exception):
    """Refusal of the drive to give a file now. The text is one sentence, with a link for a browser."""


class TooManyBytesError(Exception):
    """More bytes than the caller takes."""


def is_drive(url: str) -> bool:
    """Whether a link leads to a file on Google Drive."""
    return urlsplit(url).hostname in HOSTS


def fetch_from_drive(url: str, path: Path, *, timeout_seconds: float, most_bytes: int) -> None:
    """Fetch the file behind a drive's link to `path`, whole or not at all, unless it is there.

    The bytes so far stay in a file beside `path`, and the next call continues it. Raises DriveRefusal if
    the drive's limit of downloads is reached (for up to a day), if the link is dead, or if the
    connection broke too often; TooManyBytesError for a file of more than `most_bytes`.
    """
    import gdown  # here, since only data sets with such a link need it

    bar = tqdm(desc=f"fetching {path.stem} from a drive", unit="B", unit_scale=True)

    def show(done: int, total: int | None) -> None:
        bar.total = total
        bar.update(done - bar.n)
        if max(done, total or 0) > most_bytes:
            raise TooManyBytesError(f"it sends more than {most_bytes} bytes")

    with bar:
        try:
            gdown.download(
                url,
                str(path),
                quiet=True,
                use_cookies=False,
                resume=True,
                progress=show,
                timeout=timeout_seconds,
                retries=RETRIES,
            )
        except TooManyBytesError:
            raise
        except Exception as error:  # also what the client raises on a page that it does not know
            if isinstance(error, OSError) and error.errno in OF_THE_MACHINE:
                raise
            raise DriveRefusal(
                f"the drive gives no file now: {_in_short(error)}; try tomorrow, or in a "
                f"browser at {_page(url)}"
            ) from error


def _page(url: str) -> str:
    """Address of the file's page for a browser."""
    found = re.search(r"/d/([-\w]+)|[?&]id=([-\w]+)", url)
    return f"https://drive.google.com/file/d/{found[1] or found[2]}/view" if found else url


def _in_short(error: Exception) -> str:
    """The client's message without its advice, on one line."""
    words = " ".join(str(error).split()).removeprefix("Failed to retrieve file url: ")
    return re.split(r"[.] (?=You may)", words)[0].rstrip(".") or type(error).__name__
