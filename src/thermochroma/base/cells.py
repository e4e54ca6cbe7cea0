"""Text for people, in Markdown and CSV: a text from outside stays a text, one image is no "1 images".

Titles come from `params.yaml`, names of frames from the names of files. Neither may end a cell, open a
tag, load an image from elsewhere, or be a formula of a spreadsheet.
"""

import csv
import io
import re
from collections.abc import Iterable, Sequence
from typing import Final

_IN_MARKDOWN: Final = (
    (re.compile(r"&(?=#?\w+;)"), "&amp;"),  # only where it would begin a named letter
    (re.compile("<"), "&lt;"),
    (re.compile(r"\|"), "&#124;"),
    (re.compile(r"\]\("), r"]\("),  # a link or an image
)
_FORMULA: Final = re.compile(r"[=+\-@].")
"""Beginning of what spreadsheets compute; a mark that stands alone is none."""


def counted(number: int, what: str) -> str:
    """Text of a number of things: "1 image", "2 images", "1,200 images"."""
    return f"{number:,} {what}{'s' * (number != 1)}"


def one_line(cell: object) -> str:
    """The text of a cell with every run of line ends and other control letters as one space."""
    return re.sub(r"[\x00-\x1f\x7f\x85\u2028\u2029]+", " ", str(cell))


def markdown_cell(cell: object) -> str:
    """The text of a cell so that Markdown shows it letter by letter."""
    text = one_line(cell)
    for found, shown in _IN_MARKDOWN:
        text = found.sub(shown, text)
    return text


def markdown_row(cells: Iterable[object]) -> str:
    """One line of a table in Markdown, without its end."""
    return f"| {' | '.join(map(markdown_cell, cells))} |"


def markdown_table(*rows: Sequence[object]) -> str:
    """A table in Markdown: its head, the line of alignments, and the rest."""
    return "\n".join(map(markdown_row, rows))


def csv_cell(cell: object) -> str:
    """The text of a cell that no spreadsheet takes for a formula; numbers stay as they are."""
    text = one_line(cell)
    return f"'{text}" if _FORMULA.match(text.lstrip()) and not _is_number(text) else text


def csv_table(rows: Iterable[Iterable[object]]) -> str:
    """A table in CSV, one line a row."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerows(map(csv_cell, row) for row in rows)
    return text.getvalue()


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def letters(text: str) -> str:
    """A title or name from outside, for Matplotlib to draw as it is: two `$` would make a formula of it."""
    return text.replace("$", r"\$")
