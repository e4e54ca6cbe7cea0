"""Trivial rows for images without a training split: each is predicted from what the others show."""

from collections.abc import Iterator, Sequence
from functools import partial
from typing import Final

import pandas as pd
import torch

from thermochroma.base.errors import BadInput
from thermochroma.baselines.catalogue import BASELINES
from thermochroma.evaluation.baselines import Predictor, predictors
from thermochroma.inference.predictions import Predicted
from thermochroma.loading.crops import Crops

FOLDS: Final = 10
"""Greatest number of parts; with fewer images each is a part by itself."""


def held_out_predictors(
    crops: Crops, rows: pd.DataFrame, *, spectrum: str
) -> Iterator[tuple[str, Predictor]]:
    """Yield the name and the predictor of each trivial row, fitted to all parts but the image's own.

    Raises BadInput for fewer than two images.
    """
    if len(rows) < 2:
        raise BadInput(
            given="there is one image alone",
            needed="two or more: rows that learn nothing are fitted to the other images",
            remedy="give more images",
        )
    count = min(FOLDS, len(rows))
    part_of = {frame: place % count for place, frame in enumerate(rows["frame"])}
    fitted: dict[str, list[Predictor]] = {name: [] for name in BASELINES[spectrum].trivial}
    for part in range(count):
        others = rows[[part_of[frame] != part for frame in rows["frame"]]]
        for name, predict in predictors(crops, others, spectrum=spectrum, features=None):
            if name in fitted:
                fitted[name].append(predict)
    for name, parts in fitted.items():
        yield name, partial(_predict, parts=parts, part_of=part_of)


def _predict(
    rows: pd.DataFrame, *, parts: Sequence[Predictor], part_of: dict[str, int]
) -> Predicted:
    each = (rows.iloc[[place]] for place in range(len(rows)))
    return torch.cat([parts[part_of[one["frame"].iloc[0]]](one) for one in each])
