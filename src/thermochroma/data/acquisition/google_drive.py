"""Fetch a file from Google Drive, whose links lead to a web page that asks before it gives a file.

The client is gdown. It continues what it began, and a change of the file within one run shows by
its tag; between two runs only the archive's own checksums tell.
"""

import re
from pathlib import Path
from urllib.parse import urlsplit

from tqdm import tqdm

HOSTS = ("drive.google.com", "docs.google.com")
RETRIES = 20  # broken connections within one try, each of which is taken up where it broke


class DriveRefusal(Exception):
    """The drive gives no file now. Its text is one sentence, with the link for a browser."""


def is_drive(url: str) -> bool:
    """True for a link to a file on Google Drive."""
    return urlsplit(url).hostname in HOSTS


def fetch_from_drive(url: str, path: Path, *, timeout_seconds: float) -> None:
    """Bring the file behind a drive's link to `path`, whole or not at all; does nothing if it is there.

    What has come stays in a file beside `path`, and the next call continues it. Raises DriveRefusal if
    the drive has stopped giving the file out (it limits how often that is done, for up to a day), if
    the link is dead, or if the line broke too often.
    """
    # Not needed by data sets without such a link.
    import gdown
    import requests

    bar = tqdm(desc=f"fetching {path.stem} from a drive", unit="B", unit_scale=True)

    def show(done: int, total: int | None) -> None:
        bar.total = total
        bar.update(done - bar.n)

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
        except (gdown.DownloadError, requests.RequestException) as error:
            raise DriveRefusal(
                f"the drive gives no file now: {_in_short(error)}; it may by tomorrow, or in a "
                f"browser at {_page(url)}"
            ) from error


def _page(url: str) -> str:
    """The address that shows the file to a person."""
    found = re.search(r"/d/([-\w]+)|[?&]id=([-\w]+)", url)
    return f"https://drive.google.com/file/d/{found[1] or found[2]}/view" if found else url


def _in_short(error: Exception) -> str:
    """The client's words up to its advice, on one line."""
    words = " ".join(str(error).split()).removeprefix("Failed to retrieve file url: ")
    return re.split(r"[.] (?=You may)", words)[0].rstrip(".") or type(error).__name__
