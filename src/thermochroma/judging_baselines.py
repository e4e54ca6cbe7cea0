"""The trivial and oracle rows, painted and scored like any method."""

from collections.abc import Callable, Iterator

import numpy as np
import pandas as pd
import torch
from jaxtyping import UInt8
from torch import Tensor
from tqdm import tqdm

from thermochroma.images import VisiblePicture
from thermochroma.judging import Painted, score_rows, truth_of
from thermochroma.loading.crops import Crops
from thermochroma.metrics.baselines import ORACLES, TRIVIAL
from thermochroma.metrics.trivial import TrainingPictures

BATCH = 16  # frames in memory at once

ThermalBytes = UInt8[Tensor, "b 1 h w"]


def judge_baselines(
    crops: Crops, train: pd.DataFrame, judged: pd.DataFrame
) -> Iterator[tuple[str, pd.DataFrame, Callable[[pd.DataFrame], Painted]]]:
    """For each row of the table: its name, its scores, and a painter of further rows."""
    training = _training_pictures(crops, train)
    for name, trivial in TRIVIAL.items():
        fitted = trivial.fit(training)

        def paint_blind(rows: pd.DataFrame, fitted: Callable[[Tensor], Tensor] = fitted) -> Painted:
            return fitted(_thermals(crops, rows))

        yield name, _judge(name, crops, judged, paint_blind), paint_blind
    for name, oracle in ORACLES.items():

        def paint_knowing(
            rows: pd.DataFrame, paint: Callable[[Tensor, Tensor], Tensor] = oracle.paint
        ) -> Painted:
            return paint(_thermals(crops, rows), truth_of(crops, rows))

        yield name, _judge(name, crops, judged, paint_knowing), paint_knowing


def _judge(
    name: str, crops: Crops, judged: pd.DataFrame, paint: Callable[[pd.DataFrame], Painted]
) -> pd.DataFrame:
    parts = []
    for start in tqdm(range(0, len(judged), BATCH), desc=name, unit="batch"):
        rows = judged.iloc[start : start + BATCH]
        parts.append(score_rows(rows, paint(rows), truth_of(crops, rows)))
    return pd.concat(parts, ignore_index=True)


def _training_pictures(crops: Crops, train: pd.DataFrame) -> TrainingPictures:
    def batches() -> Iterator[pd.DataFrame]:
        for start in range(0, len(train), BATCH):
            yield train.iloc[start : start + BATCH]

    def thermals() -> Iterator[np.ndarray]:
        for rows in batches():
            yield np.stack([crops.thermal(row) for _, row in rows.iterrows()])

    def visibles() -> Iterator[np.ndarray]:
        for rows in batches():
            yield np.stack([crops.visible(row) for _, row in rows.iterrows()])

    def visible(place: int) -> VisiblePicture:
        return crops.visible(train.iloc[place])

    return TrainingPictures(thermals=thermals, visibles=visibles, visible=visible)


def _thermals(crops: Crops, rows: pd.DataFrame) -> ThermalBytes:
    pictures = np.stack([crops.thermal(row) for _, row in rows.iterrows()])
    return torch.from_numpy(pictures)[:, None]
