"""What a cropping did, in numbers: frames kept and dropped, repeated and frozen ones."""

from typing import Any, Final

import numpy as np
import pandas as pd
from jaxtyping import Bool, Float64

from thermochroma.base.manifest import SPLITS
from thermochroma.data.acquisition.inspect import kind_of
from thermochroma.data.cropping.near_duplicates import Thumbnails

FROZEN: Final = 0.05
"""Grey levels between the thumbnails of neighbouring frames. One image coded twice at high quality
differs by 0.02 to 0.04; a camera that stands still before a scene that does, with noise of 0.3 grey
levels, by 0.08 (measured on the sample)."""


def crop_counts(
    frames: pd.DataFrame,
    plan: pd.DataFrame,
    thumbnails: Thumbnails,
    steps: Float64[np.ndarray, " n"],
) -> dict[str, Any]:
    """Counts of frames, whether dropped or not.

    frames: rows of FRAME_COLUMNS. plan: the same frames, as cut. steps: from `dedup.steps`.
    `exact_duplicates`: thermal files that an earlier frame has too, to the byte. `frozen`: frames
    whose thermal image is that of the frame before, in the same file or in another.
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
    """Whether a frame shows what the one before it shows; sequence by sequence, in order."""
    hashes = frames["thermal_sha256"]
    before = hashes.groupby(frames["sequence"], sort=False).shift().fillna("")
    frozen = ((hashes == before) & (hashes != "")).to_numpy(bool)
    frozen[thumbnails.rows] |= steps < FROZEN
    by_sequence = np.argsort(pd.factorize(frames["sequence"])[0], kind="stable")
    return frozen[by_sequence]


def _longest_run(frozen: Bool[np.ndarray, " n"]) -> int:
    """A run ends with its sequence, since the first frame of a sequence repeats none."""
    breaks = np.flatnonzero(np.concatenate([[True], ~frozen, [True]]))
    return int(np.diff(breaks).max()) - 1
