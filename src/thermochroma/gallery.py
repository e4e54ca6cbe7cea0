"""The painted test pictures that are kept for the page, each with its frame and its own scores."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final
from zipfile import BadZipFile

import numpy as np
import pandas as pd
from jaxtyping import Float64, UInt8

from thermochroma.errors import BadInput
from thermochroma.files import whole_file
from thermochroma.summary import FACTS

FILE: Final = "gallery.npz"
"""Its name beside a row's scores."""
SPLIT: Final = "test"
FRAMES, PICTURES = "frames", "pictures"
SCORE: Final = "score/"
"""Before the name of a score inside the file."""


def gallery_rows(judged: pd.DataFrame, count: int | None) -> pd.DataFrame:
    """At most `count` of the judged test frames, evenly spread; all of them if None."""
    rows = judged[judged["split"] == SPLIT]
    most = len(rows) if count is None else min(count, len(rows))
    places = np.linspace(0, len(rows) - 1, most).round().astype(int)
    return rows.iloc[places].reset_index(drop=True)


def keep_gallery(
    path: Path, scores: pd.DataFrame, frames: Sequence[str], pictures: UInt8[np.ndarray, "n h w c"]
) -> None:
    """Write the pictures of these frames without loss, whole or not at all; equal ones give equal bytes.

    scores: one row a picture of at least these frames. What is kept of them belongs to these very
    pictures, where the table of scores may hold a mean over draws or runs.
    """
    if len(frames) != len(pictures):
        raise ValueError(f"{len(frames)} frames but {len(pictures)} pictures")
    found = scores.set_index("frame").loc[list(frames)].drop(columns=set(FACTS) - {"frame"})
    arrays: dict[str, Any] = {
        FRAMES: np.array(frames, str),
        PICTURES: pictures,
        **{f"{SCORE}{name}": found[name].to_numpy(float) for name in found},
    }
    with whole_file(path) as part, part.open("wb") as stream:
        np.savez_compressed(stream, **arrays)


def read_pictures(path: Path, frames: Sequence[str]) -> UInt8[np.ndarray, "n h w c"]:
    """What `keep_gallery` wrote for these frames, in this order.

    Raises BadInput if there is none, or one of other frames.
    """
    with _opened(path, frames) as stored:
        pictures: UInt8[np.ndarray, "n h w c"] = stored[PICTURES]
        return pictures


def read_values(path: Path, frames: Sequence[str]) -> dict[str, Float64[np.ndarray, " n"]]:
    """The scores of the pictures of these frames, in this order; NaN where a score is not defined.

    Raises BadInput as `read_pictures` does.
    """
    with _opened(path, frames) as stored:
        return {
            name.removeprefix(SCORE): stored[name]
            for name in stored.files
            if name.startswith(SCORE)
        }


@contextmanager
def _opened(path: Path, frames: Sequence[str]) -> Iterator[Any]:
    try:
        with np.load(path) as stored:
            kept = [str(frame) for frame in stored[FRAMES]]
            if kept != list(frames):
                strange = len(set(kept) ^ set(frames))
                raise _refusal(
                    f"{path} holds {len(kept)} frames, {strange} of them not shared by the crops"
                )
            yield stored
    except (OSError, KeyError, ValueError, BadZipFile) as error:
        raise _refusal(f"{path} is no gallery ({type(error).__name__}: {error})") from error


def _refusal(given: str) -> BadInput:
    return BadInput(
        given=given,
        needed="the pictures that the stages evaluate and baselines keep for the page",
        remedy="run `dvc repro`, so that every row is evaluated on the present crops",
    )
