"""The painted test pictures that are kept for the page, with the frames that they belong to."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd
from jaxtyping import UInt8

from thermochroma.errors import BadInput
from thermochroma.files import whole_file

FILE: Final = "gallery.npz"
"""Its name beside a row's scores."""
SPLIT: Final = "test"


def gallery_rows(judged: pd.DataFrame, count: int | None) -> pd.DataFrame:
    """At most `count` of the judged test frames, evenly spread; all of them if None."""
    rows = judged[judged["split"] == SPLIT]
    most = len(rows) if count is None else min(count, len(rows))
    places = np.linspace(0, len(rows) - 1, most).round().astype(int)
    return rows.iloc[places].reset_index(drop=True)


def keep_gallery(path: Path, rows: pd.DataFrame, pictures: UInt8[np.ndarray, "n h w c"]) -> None:
    """Write the pictures without loss, whole or not at all; equal pictures give equal bytes.

    rows: one a picture, with the column frame.
    """
    frames = rows["frame"].to_numpy(str)
    if len(frames) != len(pictures):
        raise ValueError(f"{len(frames)} frames but {len(pictures)} pictures")
    with whole_file(path) as part, part.open("wb") as stream:
        np.savez_compressed(stream, frames=frames, pictures=pictures)


def read_gallery(path: Path, frames: Sequence[str]) -> UInt8[np.ndarray, "n h w c"]:
    """What `keep_gallery` wrote for these frames, in this order.

    Raises BadInput if there is none, or one of other frames.
    """
    try:
        with np.load(path) as stored:
            kept, pictures = [str(frame) for frame in stored["frames"]], stored["pictures"]
    except (OSError, KeyError, ValueError) as error:
        raise _refusal(f"{path} is no gallery ({type(error).__name__}: {error})") from error
    if kept != list(frames):
        strange = len(set(kept) ^ set(frames))
        raise _refusal(
            f"{path} holds {len(kept)} frames, {strange} of them not shared by the crops"
        )
    return pictures


def _refusal(given: str) -> BadInput:
    return BadInput(
        given=given,
        needed="the pictures that the stages evaluate and baselines keep for the page",
        remedy="run `dvc repro`, so that every row is evaluated on the present crops",
    )
