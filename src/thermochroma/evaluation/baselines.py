"""The trivial and oracle rows, painted and scored like any method."""

from collections.abc import Callable, Iterator

import numpy as np
import pandas as pd
from jaxtyping import UInt8
from torch import Tensor
from tqdm import tqdm

from thermochroma.baselines.catalogue import BASELINES
from thermochroma.baselines.trivial import TrainingPictures
from thermochroma.evaluation.perceptual import Judged, Perception, judge_pictures
from thermochroma.evaluation.scoring import SEEN, in_grey
from thermochroma.inference.predictions import Painted, truth_of
from thermochroma.loading.crops import Crops

BATCH = 16  # frames in memory at once

Painter = Callable[[pd.DataFrame], Painted]


def judge_baselines(
    crops: Crops,
    train: pd.DataFrame,
    rows: pd.DataFrame,
    *,
    spectrum: str,
    perception: Perception | None,
) -> Iterator[tuple[str, Judged, Painter]]:
    """For each row of the table: its name, how `rows` were judged, and a painter of further rows.

    spectrum: the one that is painted, visible or thermal.
    """
    for name, paint in painters(crops, train, spectrum=spectrum):
        painted = _in_batches(name, rows, paint)
        yield name, judge_pictures(crops, painted, spectrum=spectrum, perception=perception), paint


def painters(crops: Crops, train: pd.DataFrame, *, spectrum: str) -> Iterator[tuple[str, Painter]]:
    """Each baseline of one direction, fitted, by its name."""
    known, training = BASELINES[spectrum], _training_pictures(crops, train, spectrum=spectrum)
    for name, trivial in known.trivial.items():
        fitted = trivial.fit(training)

        def paint_blind(rows: pd.DataFrame, fitted: Callable[[Tensor], Tensor] = fitted) -> Painted:
            return fitted(_greys(crops, rows, spectrum=SEEN[spectrum]))

        yield name, paint_blind
    for name, oracle in known.oracles.items():

        def paint_knowing(
            rows: pd.DataFrame, paint: Callable[[Tensor, Tensor], Tensor] = oracle.paint
        ) -> Painted:
            truth = truth_of(crops, rows, spectrum=spectrum)
            return paint(_greys(crops, rows, spectrum=SEEN[spectrum]), truth)

        yield name, paint_knowing


def _in_batches(
    name: str, rows: pd.DataFrame, paint: Painter
) -> Iterator[tuple[pd.DataFrame, Painted]]:
    for start in tqdm(range(0, len(rows), BATCH), desc=name, unit="batch"):
        some = rows.iloc[start : start + BATCH]
        yield some, paint(some)


def _training_pictures(crops: Crops, train: pd.DataFrame, *, spectrum: str) -> TrainingPictures:
    def batches() -> Iterator[pd.DataFrame]:
        for start in range(0, len(train), BATCH):
            yield train.iloc[start : start + BATCH]

    def greys() -> Iterator[np.ndarray]:
        for rows in batches():
            yield _greys(crops, rows, spectrum=SEEN[spectrum])[:, 0].numpy()

    def targets() -> Iterator[np.ndarray]:
        for rows in batches():
            yield truth_of(crops, rows, spectrum=spectrum).permute(0, 2, 3, 1).numpy()

    def target(place: int) -> np.ndarray:
        picture = crops.picture(spectrum, train.iloc[place])
        return picture if picture.ndim == 3 else picture[..., None]

    channels = 3 if spectrum == "visible" else 1
    return TrainingPictures(greys=greys, targets=targets, target=target, channels=channels)


def _greys(crops: Crops, rows: pd.DataFrame, *, spectrum: str) -> UInt8[Tensor, "b 1 h w"]:
    """What is seen: thermal pictures, or the rounded luma of visible ones."""
    return in_grey(truth_of(crops, rows, spectrum=spectrum))[:, None]
