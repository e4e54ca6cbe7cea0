"""Scores of a training's snapshots on the test images: for curves, never to choose a model."""

from collections.abc import Iterable
from typing import Final

import pandas as pd

from thermochroma.base.manifest import FACTS
from thermochroma.inference.predictions import Predicted, truth_of
from thermochroma.loading.crops import Crops
from thermochroma.metrics.fidelity import psnr, ssim, ssim_7u

CURVE: Final = "snapshots.csv"
"""Name of the table of snapshot scores, beside a row's scores."""
TAKEN: Final = {"psnr": psnr, "ssim": ssim, "ssim_7u": ssim_7u}
"""The scores that the curves and the protocol `paper` need."""
IMAGES: Final = "images"
"""The column that says how many images had been shown."""


def score_snapshot(
    crops: Crops,
    batches: Iterable[tuple[pd.DataFrame, Predicted]],
    *,
    images: int | None,
    spectrum: str,
) -> pd.DataFrame:
    """Score one snapshot, one row per image. images: number shown in training until the snapshot.

    spectrum: the one that is predicted.
    """
    parts = []
    for rows, prediction in batches:
        truth = truth_of(crops, rows, spectrum=spectrum)
        scores = {name: take(prediction, truth).numpy() for name, take in TAKEN.items()}
        parts.append(rows[FACTS].reset_index(drop=True).assign(**scores))
    return pd.concat(parts, ignore_index=True).assign(**{IMAGES: images})


def of_the_end(scores: pd.DataFrame, *, images: int | None) -> pd.DataFrame:
    """Select the final model's existing scores. images: number shown in training."""
    return scores[[*FACTS, *TAKEN]].assign(**{IMAGES: images})
