"""Statistics of a cropping: numbers of frames kept and dropped, repeated and frozen."""

from typing import Any, Final

import numpy as np
import pandas as pd
from jaxtyping import Bool, Float64

from thermochroma.base.splits import SPLITS
from thermochroma.data.acquisition.inspect import kind_of
from thermochroma.data.cropping.near_duplicates import Thumbnails

FROZEN: Final = 0.05
"""Difference between the thumbnails of neighbouring frames, in grey levels, below which a frame is
frozen. One image coded twice at high quality differs by 0.02 to 0.04; a still camera and a still scene,
with noise of 0.3 grey levels, by 0.08 (measured on the sample)."""


def crop_counts(
    frames: pd.DataFrame,
    plan: pd.DataFrame,
    thumbnails: Thumbnails,
    steps: Float64[np.ndarray, " n"],
) -> dict[str, Any]:
    """Count frames, dropped ones included.

    frames: rows of FRAME_COLUMNS. plan: the same frames, as cut. steps: from `near_duplicates.steps`.
    `exact_duplicates`: thermal files with the same bytes as an earlier frame's. `frozen`: frames
    whose thermal image equals that of the frame before, byte by byte or by the thumbnail.
    """
    kept, dropped = plan[plan["dropped"] == ""], plan.loc[plan["dropped"] != "", "dropped"]
    frozen = _frozen(frames, thumbnails, steps)
    hashes = frames.loc[frames["thermal_sha256"] != "", ["thermal_sha256", "split"]]
    splits_of_each = hashes.drop_duplicates()["thermal_sha256"]
    return {
        "frames": len(frames),
        "kept": len(kept),
        "kept_by_split": {split: int((kept["split"] == split).sum()) for split in SPLITS},
        "dropped": {
            str(reason): int(n) for reason, n in dropped.map(kind_of).value_counts().items()
        },
        "exact_duplicates": int(hashes["thermal_sha256"].duplicated().sum()),
        "exact_duplicates_across_splits": int(splits_of_each.duplicated().sum()),
        "frozen": int(frozen.sum()),
        "longest_frozen_run": _longest_run(frozen),
    }


def _frozen(
    frames: pd.DataFrame, thumbnails: Thumbnails, steps: Float64[np.ndarray, " n"]
) -> Bool[np.ndarray, " frames"]:
    """Whether a frame's thermal image equals that of the frame before; sequence by sequence, in order."""
    hashes = frames["thermal_sha256"]
    before = hashes.groupby(frames["sequence"], sort=False).shift().fillna("")
    frozen = ((hashes == before) & (hashes != "")).to_numpy(bool)
    frozen[thumbnails.rows] |= steps < FROZEN
    by_sequence = np.argsort(pd.factorize(frames["sequence"])[0], kind="stable")
    return frozen[by_sequence]


def _longest_run(frozen: Bool[np.ndarray, " n"]) -> int:
    """Length of the longest run; none crosses sequences, as the first frame of each repeats none."""
    breaks = np.flatnonzero(np.concatenate([[True], ~frozen, [True]]))
    return int(np.diff(breaks).max()) - 1
