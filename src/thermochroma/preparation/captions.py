"""One sentence a frame, from what is known without the visible target.

Sources: the data set's facts and the thermal picture. A person's own sentences come in by a file of
overrides. Whatever the source, a linter refuses words that tell colours.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Final, Literal

import cv2
import numpy as np
import pandas as pd

from thermochroma.errors import BadInput
from thermochroma.images import ThermalPicture
from thermochroma.source import Facts

CAPTION_COLUMNS: Final = {
    "frame": "string",
    "text": "string",
    "source": "string",  # template | empty | override
    "author": "string",  # of an override
}
OVERRIDE_COLUMNS: Final = ["id_glob", "text", "author", "date", "looked_at", "note"]
MOST_WORDS: Final = 40  # about 60 tokens: CLIP reads 77
OPEN_SKY: Final = 0.5  # share of the upper third

FORBIDDEN: Final = re.compile(
    r"\b(red|green|blue|yellow|white|black|gr[ae]y|orange|brown|pink|purple|violet|silver|gold(en)?|"
    r"beige|cyan|magenta|turquoise|maroon|colou?r\w*|bright|dark|pale|vivid|"
    r"(traffic|tail|brake|head)[ -]?lights?|lamps?|signals?|sunny|rainy|snowy)(ish)?\b",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Override:
    """A person's sentence for all frames whose id matches the pattern."""

    pattern: str
    text: str
    author: str
    looked_at: Literal["thermal", "visible"]


def sentence(facts: Facts, thermal: ThermalPicture) -> str:
    """The template: time, place, what the data set knows, and how much sky the thermal shows."""
    time = {"day": "a daytime ", "night": "a nighttime "}.get(facts.time, "a ")
    phrases = [f"{time}thermal infrared image of {facts.scene}", *facts.details, sky(thermal)]
    return ", ".join(phrases)


def sky(thermal: ThermalPicture) -> str:
    """ "open sky" or "little sky": the share of cold pixels in the upper third.

    Cold is below Otsu's threshold of the whole picture; a clear or cloudy sky is the coldest large
    thing that a thermal camera sees out of doors.
    """
    threshold, _ = cv2.threshold(thermal, 0, 255, cv2.THRESH_BINARY + cv2.THRESH_OTSU)
    share = float(np.mean(thermal[: len(thermal) // 3] <= threshold))
    return "open sky" if share >= OPEN_SKY else "little sky"


def caption_all(
    rows: pd.DataFrame,
    *,
    profile: Literal["template", "empty"],
    facts: Callable[[str], Facts],
    thermal: Callable[[pd.Series], ThermalPicture],
    overrides: list[Override],
) -> Iterator[dict[str, str]]:
    """rows: of the crop manifest, with pixels. Yields rows of CAPTION_COLUMNS."""
    for _, row in rows.iterrows():
        frame = str(row["frame"])
        override = choose_override(overrides, frame, split=str(row["split"]))
        if override is not None:
            text, source, author = override.text, "override", override.author
        elif profile == "empty":
            text, source, author = "", "empty", ""
        else:
            text, source, author = sentence(facts(frame), thermal(row)), "template", ""
        refuse_colour_words(text, where=f"the caption of {frame}")
        yield {"frame": frame, "text": text, "source": source, "author": author}


def choose_override(overrides: list[Override], frame: str, *, split: str) -> Override | None:
    """The override with the longest pattern that matches; later lines win ties.

    What was written by looking at the visible picture never reaches a test frame.
    """
    fitting = [
        one
        for one in overrides
        if fnmatchcase(frame, one.pattern) and not (split == "test" and one.looked_at == "visible")
    ]
    return max(reversed(fitting), key=lambda one: len(one.pattern), default=None)


def read_overrides(path: Path) -> list[Override]:
    """Read a CSV with the columns OVERRIDE_COLUMNS. Raises BadInput that names the faulty line."""
    table = pd.read_csv(path, dtype="string", keep_default_na=False)
    if list(table.columns) != OVERRIDE_COLUMNS:
        raise BadInput(
            given=f"{path} has the columns {list(table.columns)}",
            needed=f"the columns {OVERRIDE_COLUMNS}",
            remedy="correct its first line",
        )
    return [_override(row, f"line {line} of {path}") for line, row in _numbered(table)]


def refuse_colour_words(text: str, *, where: str) -> None:
    """Raise BadInput for a sentence that tells colours or is too long for the text encoder."""
    if found := FORBIDDEN.search(text):
        raise BadInput(
            given=f"{where} says `{found.group()}`: {text!r}",
            needed="captions tell no colours, lights or weather that only the visible picture shows",
            remedy="reword it",
        )
    if len(text.split()) > MOST_WORDS:
        raise BadInput(
            given=f"{where} has {len(text.split())} words",
            needed=f"at most {MOST_WORDS}, since the text encoder reads 77 tokens",
            remedy="shorten it",
        )


def _override(row: pd.Series, where: str) -> Override:
    refuse_colour_words(row["text"], where=where)
    _refuse_undated(row["date"], where)
    if row["looked_at"] not in {"thermal", "visible"}:
        raise BadInput(
            given=f"{where} has looked_at `{row['looked_at']}`",
            needed="`thermal` or `visible`: which picture the author had before the eyes",
            remedy="correct it",
        )
    return Override(row["id_glob"], row["text"], row["author"], row["looked_at"])


def _refuse_undated(text: str, where: str) -> None:
    try:
        date.fromisoformat(text)
    except ValueError:
        raise BadInput(
            given=f"{where} has the date `{text}`",
            needed="a date as 2026-01-31",
            remedy="correct it",
        ) from None


def _numbered(table: pd.DataFrame) -> Iterator[tuple[int, pd.Series]]:
    for place, (_, row) in enumerate(table.iterrows()):
        yield place + 2, row  # the first line is the header
