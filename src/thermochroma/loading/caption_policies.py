"""Sentences other than a frame's own, to measure how much a method gains from its text."""

from collections.abc import Callable, Mapping

import numpy as np
import pandas as pd

from thermochroma.base.files import seed_of
from thermochroma.loading.text_features import SAME_FOR_ALL, TextTable

Policy = Callable[[TextTable, pd.DataFrame], Mapping[str, str]]
"""Function to a mapping: for each frame of the manifest's rows, the frame, or key of `SAME_FOR_ALL`,
whose sentence it gets."""


def shuffled(text: TextTable, rows: pd.DataFrame, *, seed: int) -> Mapping[str, str]:
    """Give each frame the sentence of another frame of the same split, drawn by the seed.

    The new sentence differs from its own, unless all sentences of the split are equal.
    """
    given: dict[str, str] = {}
    for split, some in rows.groupby("split"):
        random = np.random.default_rng(seed_of("shuffled captions", str(split), seed))
        frames = some["frame"].to_numpy(str)
        sentences = np.array([text.row(frame) for frame in frames])
        donors = np.empty(len(frames), np.int64)
        for own in np.unique(sentences):
            mine, others = np.flatnonzero(sentences == own), np.flatnonzero(sentences != own)
            donors[mine] = random.choice(others if len(others) else mine, len(mine))
        given |= dict(zip(frames.tolist(), frames[donors].tolist(), strict=True))
    return given


def always(text: TextTable, rows: pd.DataFrame, *, name: str) -> Mapping[str, str]:
    """Give all frames one sentence. name: its key in `SAME_FOR_ALL`."""
    assert name in SAME_FOR_ALL
    return dict.fromkeys(rows["frame"].astype(str), name)
