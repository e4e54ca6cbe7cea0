"""Flicker: predictions for neighbouring test frames, scored as a video."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd

from thermochroma.inference.predictions import Predicted, spread
from thermochroma.loading.crops import Crops
from thermochroma.loading.frame_runs import consecutive
from thermochroma.metrics.temporal import Way, backward_flow, flicker

COLUMNS: Final = ["frame", "sequence", "split", "flicker"]
SPLIT: Final = "test"

Predictor = Callable[[pd.DataFrame], Predicted]


@dataclass(frozen=True, eq=False)
class Pairs:
    """Neighbouring frames under one window: the n-th row of `before` comes just before that of `after`."""

    before: pd.DataFrame
    after: pd.DataFrame
    ways: tuple[Way, ...]
    """Motion from each second frame back to its first, by the thermal frames."""

    def __len__(self) -> int:
        return len(self.before)


def pairs_of(crops: Crops, per_sequence: int | None) -> Pairs:
    """Choose `per_sequence` pairs of each test sequence, evenly spread, or all if None.

    Without video there are no pairs.
    """
    rows = crops.split(SPLIT)
    starts = pd.DataFrame({"start": consecutive(crops.manifest, rows, length=2)})
    starts["sequence"] = rows["sequence"].to_numpy(str)[starts["start"]]
    if per_sequence is not None and len(starts):
        groups = starts.groupby("sequence", sort=False)
        starts = pd.concat([spread(group, per_sequence) for _, group in groups])
    first = starts["start"].to_numpy(int)
    before, after = (rows.iloc[some].reset_index(drop=True) for some in (first, first + 1))
    thermal = [
        [np.asarray(crops.thermal(row)) for _, row in some.iterrows()] for some in (before, after)
    ]
    ways = tuple(backward_flow(*frames) for frames in zip(*thermal, strict=True))
    return Pairs(before, after, ways)


def score_flicker(pairs: Pairs, predict: Predictor) -> pd.DataFrame:
    """Score the flicker of each pair: a table of COLUMNS; the frame is the first of the two."""
    facts = pairs.before[["frame", "sequence", "split"]]
    if len(pairs) == 0:
        return facts.assign(flicker=pd.Series(dtype=float))
    images = (predict(pairs.before), predict(pairs.after))
    shown = (one.permute(0, 2, 3, 1).numpy() for one in images)
    found = [flicker(*each) for each in zip(*shown, pairs.ways, strict=True)]
    return facts.assign(flicker=found)
