"""Other sentences than a frame's own: who is given whose, to tell what a method's text is worth."""

from collections.abc import Callable, Mapping

import numpy as np
import pandas as pd

from thermochroma.base.files import seed_of
from thermochroma.loading.text_features import SAME_FOR_ALL, TextTable

Policy = Callable[[TextTable, pd.DataFrame], Mapping[str, str]]
"""For each row of the manifest, by frame, whose sentence it is given: a frame's, or that of a key of
`SAME_FOR_ALL`."""


def shuffled(text: TextTable, rows: pd.DataFrame, *, seed: int) -> Mapping[str, str]:
    """Each frame is given the sentence of another of the same split, drawn by the seed.

    It is never one that reads the same, unless all of the split do.
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
    """One sentence for all. name: its key in `SAME_FOR_ALL`."""
    assert name in SAME_FOR_ALL
    return dict.fromkeys(rows["frame"].astype(str), name)
