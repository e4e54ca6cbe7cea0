"""Runs of consecutive frames that share one window."""

from typing import Final

import numpy as np
import pandas as pd
from jaxtyping import Int

WINDOW: Final = ["sequence", "zoom", "left", "top"]
"""Columns of the manifest in which frames must agree, so that their pixels correspond."""


def consecutive(
    manifest: pd.DataFrame, rows: pd.DataFrame, *, length: int
) -> Int[np.ndarray, " n"]:
    """Positions in `rows` of the first frames of runs of `length` frames that share a window.

    manifest: of all frames, dropped ones included, in the order of time. rows: some of its frames that
    have pixels, in the same order. The frames of a run are as far apart as most neighbours in `rows`:
    thinned data sets have larger steps, and a single missing frame ends a run.
    """
    place = pd.Series(np.arange(len(manifest)), index=manifest["frame"])
    gaps = np.diff(place.loc[rows["frame"]].to_numpy(np.int64))
    windows = rows[WINDOW].to_numpy(object)
    together = (windows[1:] == windows[:-1]).all(axis=1)
    if not together.any() or len(rows) < length:
        return np.empty(0, np.int64)
    linked = together & (gaps == np.bincount(gaps[together]).argmax())
    runs = np.lib.stride_tricks.sliding_window_view(linked, length - 1)
    return np.flatnonzero(runs.all(axis=1))
