"""Plan of the procedural sample: sets, sequences, frames, splits and planted defects.

All of it follows from two counts, so that the list of frames never depends on the files on disk.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

Place = Literal["campus", "road", "downtown"]
Time = Literal["day", "night"]
Split = Literal["train", "validation", "test"]
Defect = Literal["", "missing", "truncated", "constant", "duplicated", "misnamed"]

FRAME_STEP: Final = 6  # neighbouring frames of a 20 Hz drive differ too little to be worth drawing
NIGHT_SEQUENCES: Final = 2
VALIDATION_SHARE: Final = 0.1

SETS: Final[dict[str, tuple[Split, Place, Time]]] = {
    "set00": ("train", "campus", "day"),
    "set01": ("train", "road", "day"),
    "set02": ("train", "downtown", "day"),
    "set03": ("train", "campus", "night"),
    "set06": ("test", "campus", "day"),
    "set07": ("test", "road", "day"),
    "set08": ("test", "downtown", "day"),
}

DEFECTS: Final[dict[Defect, int]] = {
    "missing": 1,  # the thermal file is not there
    "truncated": 1,  # the visible file ends in the middle
    "constant": 1,  # the thermal camera's shutter was closed
    "duplicated": 1,  # both files are copies of the frame before
    "misnamed": 1,  # the visible file's name lacks a digit
}
"""Number of frames with each defect, for all settings."""

FOGGY_SEQUENCES: Final = 1
"""Number of sequences that show almost nothing in either spectrum (their frames are not broken)."""


@dataclass(frozen=True)
class Recording:
    """One drawn recording and the numbers of its frames."""

    name: str  # "set00/V000"
    part: Split
    place: Place
    time: Time
    foggy: bool
    numbers: tuple[int, ...]
    defects: tuple[Defect, ...]  # one a frame, "" if it is sound


def frame_name(sequence: str, number: int) -> str:
    """Name of a frame, "set00/V000/I00006", from its sequence and its number in the 20 Hz drive."""
    return f"{sequence}/I{number:05d}"


def sequences(*, sequences_per_set: int, frames_per_sequence: int) -> list[Recording]:
    """Plan all sequences, in the order of their names.

    The last tenth of each training set, at least one sequence, is for validation. Defects lie in
    training sequences by day only.
    """
    planned = []
    for name, (part, place, time) in SETS.items():
        count = NIGHT_SEQUENCES if time == "night" else sequences_per_set
        held_out = max(1, round(count * VALIDATION_SHARE)) if part == "train" else 0
        for video in range(count):
            sequence = f"{name}/V{video:03d}"
            place_in_set = (name, video, count - held_out)
            planned.append(
                Recording(
                    name=sequence,
                    part="validation" if part == "train" and video >= count - held_out else part,
                    place=place,
                    time=time,
                    foggy=_foggy(*place_in_set),
                    numbers=tuple(FRAME_STEP * index for index in range(frames_per_sequence)),
                    defects=_defects(*place_in_set, frames_per_sequence),
                )
            )
    return planned


def _foggy(name: str, video: int, training: int) -> bool:
    return name == "set02" and video == training - 1


def _defects(name: str, video: int, training: int, frames: int) -> tuple[Defect, ...]:
    """Defects in the second frame of a set's first and the last frame of its last training sequence."""
    planted: dict[tuple[str, int, int], Defect] = {
        ("set00", 0, 1): "missing",
        ("set00", training - 1, frames - 1): "truncated",
        ("set01", 0, 1): "duplicated",
        ("set01", training - 1, frames - 1): "constant",
        ("set02", 0, 1): "misnamed",
    }
    return tuple(planted.get((name, video, index), "") for index in range(frames))


def names(planned: Sequence[Recording]) -> list[str]:
    """The names of all frames of `planned`, in order."""
    return [frame_name(one.name, number) for one in planned for number in one.numbers]
