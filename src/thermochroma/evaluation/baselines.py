"""The trivial, probe and oracle rows, predicted and scored like any method."""

from collections.abc import Callable, Iterator

import numpy as np
import pandas as pd
from jaxtyping import UInt8
from torch import Tensor
from tqdm import tqdm

from thermochroma.baselines.catalogue import BASELINES, Probe
from thermochroma.baselines.linear_probe import Features
from thermochroma.baselines.trivial import TrainingImages, TrivialPredictor
from thermochroma.evaluation.perceptual import Evaluation, Perception, evaluate_images
from thermochroma.evaluation.scoring import SEEN, in_grey
from thermochroma.inference.predictions import Predicted, truth_of
from thermochroma.loading.crops import Crops

BATCH = 16  # frames in memory at once

Predictor = Callable[[pd.DataFrame], Predicted]


def score_baselines(
    crops: Crops,
    train: pd.DataFrame,
    rows: pd.DataFrame,
    *,
    spectrum: str,
    perception: Perception,
    features: Features,
) -> Iterator[tuple[str, Evaluation, Predictor]]:
    """Yield each baseline's name, its evaluation on `rows`, and its predictor for further frames.

    spectrum: the one that is predicted, visible or thermal. features: of the linear probe.
    """
    for name, predict in predictors(crops, train, spectrum=spectrum, features=features):
        prediction = _in_batches(name, rows, predict)
        yield (
            name,
            evaluate_images(crops, rows, prediction, spectrum=spectrum, perception=perception),
            predict,
        )


def predictors(
    crops: Crops, train: pd.DataFrame, *, spectrum: str, features: Features | None
) -> Iterator[tuple[str, Predictor]]:
    """Yield the name and the predictor of each baseline of one direction, fitted to `train`.

    features: of the linear probe; None leaves it out.
    """
    known, training = BASELINES[spectrum], _training_images(crops, train, spectrum=spectrum)
    blind = {name: one.fit for name, one in known.trivial.items()}
    if features is not None:
        blind |= {name: _on(features, probe) for name, probe in known.probes.items()}
    for name, fit in blind.items():
        fitted = fit(training)

        def predict_blind(
            rows: pd.DataFrame, fitted: Callable[[Tensor], Tensor] = fitted
        ) -> Predicted:
            return fitted(_greys(crops, rows, spectrum=SEEN[spectrum]))

        yield name, predict_blind
    for name, oracle in known.oracles.items():

        def predict_knowing(
            rows: pd.DataFrame, predict: Callable[[Tensor, Tensor], Tensor] = oracle.predict
        ) -> Predicted:
            truth = truth_of(crops, rows, spectrum=spectrum)
            return predict(_greys(crops, rows, spectrum=SEEN[spectrum]), truth)

        yield name, predict_knowing


def _on(features: Features, probe: Probe) -> Callable[[TrainingImages], TrivialPredictor]:
    return lambda training: probe.fit(training, features)


def _in_batches(
    name: str, rows: pd.DataFrame, predict: Predictor
) -> Iterator[tuple[pd.DataFrame, Predicted]]:
    for start in tqdm(range(0, len(rows), BATCH), desc=name, unit="batch"):
        some = rows.iloc[start : start + BATCH]
        yield some, predict(some)


def _training_images(crops: Crops, train: pd.DataFrame, *, spectrum: str) -> TrainingImages:
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
        image = crops.image(spectrum, train.iloc[place])
        return image if image.ndim == 3 else image[..., None]

    channels = 3 if spectrum == "visible" else 1
    return TrainingImages(greys=greys, targets=targets, target=target, channels=channels)


def _greys(crops: Crops, rows: pd.DataFrame, *, spectrum: str) -> UInt8[Tensor, "b 1 h w"]:
    """Grey images of the input: thermal ones, or the rounded luma of visible ones."""
    return in_grey(truth_of(crops, rows, spectrum=spectrum))[:, None]
