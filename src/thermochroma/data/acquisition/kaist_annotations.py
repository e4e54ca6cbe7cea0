"""Annotated objects in KAIST's two formats: one text file per frame, or one MATLAB file per sequence.

Both are conventions of Piotr Dollár's toolbox. Only certain objects are read: a person, a group of
people, a cyclist. Objects marked as doubtful (`person?`) or to be ignored, and labels that a tool has
added, are skipped, since a caption built on them would claim too much.
"""

from collections.abc import Callable, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

import numpy as np

from thermochroma.base.errors import BadInput
from thermochroma.base.reading import reading
from thermochroma.contract.dataset import Box

VERSION: Final = "% bbGt version=3"
COLUMNS: Final = 12
"""Number of columns: label, left, top, width, height, occlusion, four of the visible part, ignore,
angle."""
IGNORE: Final = 10
LABELS: Final = ("person", "people", "cyclist")
NEEDED: Final = "a whole annotation file"


def annotated(raw: Path, *, name: str) -> Callable[[str], list[Box]]:
    """Make a function from frame id to objects, read from `annotations` or `annotations-vbb`.

    A text file is preferred to a MATLAB file. name: the data set's, for the message. Raises BadInput if
    there are no annotations at all; the function raises it for a frame that has none.
    """
    texts, videos = raw / "annotations", raw / "annotations-vbb"
    if not texts.is_dir() and not videos.is_dir():
        raise BadInput(
            given=f"{raw} holds no annotations of `{name}`",
            needed="the folder `annotations` (text files) or `annotations-vbb` beside `images`",
            remedy="put one of them there, or choose a caption profile without boxes",
        )
    of_sequence = lru_cache(maxsize=2)(read_vbb)  # frames come sequence by sequence

    def of(frame: str) -> list[Box]:
        sequence, _, last = frame.rpartition("/")
        text, video = texts / f"{frame}.txt", videos / f"{sequence}.vbb"
        if text.is_file() or not video.is_file():
            return read_boxes(text)
        number = int(last.removeprefix("I"))
        known = of_sequence(video)
        if number not in known:
            raise BadInput(
                given=f"{video} has no frame {number}", needed=NEEDED, remedy="fetch it again"
            )
        return known[number]

    return of


def read_boxes(path: Path) -> list[Box]:
    """Read the objects of one frame from its text file; a file with only the first line has none.

    Raises BadInput for a file that is missing, of another version, or has a line that is no object.
    """
    with reading(path, needed=NEEDED, remedy="fetch the annotations again"):
        lines = path.read_text(encoding="utf-8").splitlines()
    if not lines or lines[0].strip() != VERSION:
        raise BadInput(
            given=f"{path} begins with {lines[0].strip()[:40] if lines else ''!r}",
            needed=f"annotations whose first line is `{VERSION}`: other versions order their "
            "columns differently",
            remedy="take the annotations as published, or remove the file",
        )
    objects = ((place, line.split()) for place, line in enumerate(lines[1:], start=2))
    boxes = (_box(words, f"line {place} of {path}") for place, words in objects if words)
    return [box for box in boxes if box is not None]


def read_vbb(path: Path) -> dict[int, list[Box]]:
    """Read the objects of a sequence by frame number from 0; a frame without any has an empty list.

    Raises BadInput if the file is missing, cannot be read, or has another content.
    """
    import scipy.io  # here, since it is slow, and few of the stages that import this module need it

    # A file of another make is read well and lacks a field: what looks for the fields belongs inside.
    with reading(path, needed=NEEDED, remedy="fetch the annotations again, or use the text ones"):
        annotation = scipy.io.loadmat(path, squeeze_me=False, struct_as_record=True)["A"][0, 0]
        labels = [str(each[0]) if each.size else "" for each in annotation["objLbl"][0]]
        lists = annotation["objLists"][0]
        return {number: _boxes_of(each, labels) for number, each in enumerate(lists)}


def _box(words: Sequence[str], where: str) -> Box | None:
    """Parse the object of one line; None if it is not one of LABELS or is to be ignored."""
    try:
        numbers = [float(word) for word in words[1:]]
    except ValueError:
        numbers = []
    if len(words) != COLUMNS or len(numbers) != COLUMNS - 1 or not np.isfinite(numbers).all():
        raise BadInput(
            given=f"{where} is {' '.join(words)[:60]!r}",
            needed=f"a label and {COLUMNS - 1} numbers",
            remedy="fetch the annotations again, or remove the line",
        )
    return _certain(words[0], numbers[:4]) if not numbers[IGNORE - 1] else None


def _boxes_of(objects: Any, labels: Sequence[str]) -> list[Box]:
    """Objects of one frame; `id` is the position in the sequence's labels, counted from 1."""
    if not objects.size:
        return []
    named = [(labels[int(one["id"][0, 0]) - 1], one["pos"][0]) for one in objects[0]]
    boxes = (_certain(label, [float(value) for value in place]) for label, place in named)
    return [box for box in boxes if box is not None]


def _certain(label: str, place: Sequence[float]) -> Box | None:
    left, top, width, height = place
    return Box(label, left, top, width, height) if label in LABELS else None
