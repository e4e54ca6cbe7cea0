"""Scores of predictions, taken from 8-bit images as a person would open them, one row per image."""

import numpy as np
import pandas as pd
import torch
from jaxtyping import Float, UInt8
from torch import Tensor

from thermochroma.base.manifest import FACTS
from thermochroma.base.splits import SCORED_SPLITS
from thermochroma.inference.predictions import Predicted, spread, truth_of
from thermochroma.loading.crops import Crops
from thermochroma.metrics.colour import luma
from thermochroma.metrics.contours import edges_kept
from thermochroma.metrics.image_scores import score_images

SEEN = {"visible": "thermal", "thermal": "visible"}
"""Spectrum of the input, by the spectrum that is predicted."""


def score_rows(
    crops: Crops, rows: pd.DataFrame, prediction: Predicted, *, spectrum: str
) -> pd.DataFrame:
    """Facts and every score of the rows, one row per image. spectrum: the one that is predicted."""
    truth = truth_of(crops, rows, spectrum=spectrum)
    scores = {name: values.numpy() for name, values in score_images(prediction, truth).items()}
    scores |= edge_scores(prediction, truth_of(crops, rows, spectrum=SEEN[spectrum]))
    return pd.concat(
        [rows[FACTS].reset_index(drop=True), pd.DataFrame(scores).reset_index(drop=True)], axis=1
    )


def edge_scores(
    prediction: Predicted, seen: UInt8[Tensor, "b seen h w"]
) -> dict[str, Float[np.ndarray, " b"]]:
    """Share of the input's edges that the prediction has (APCE) and F-measure, one value per image."""
    pairs = zip(in_grey(prediction).numpy(), in_grey(seen).numpy(), strict=True)
    edges = np.array([edges_kept(*pair) for pair in pairs])
    return {"edges_kept": edges[:, 0], "edges_f": edges[:, 1]}


def in_grey(images: Predicted) -> UInt8[Tensor, "b h w"]:
    """Rounded luma of visible images; thermal ones as they are."""
    return luma(images).round().to(torch.uint8)


def scored_rows(crops: Crops, frames_per_sequence: int | None) -> pd.DataFrame:
    """Frames that every row of the table is scored on: `frames_per_sequence` of each held-out sequence,
    evenly spread, or all if None."""
    rows = pd.concat([crops.split(split) for split in SCORED_SPLITS], ignore_index=True)
    if frames_per_sequence is None:
        return rows
    groups = rows.groupby("sequence", sort=False)
    return pd.concat([spread(group, frames_per_sequence) for _, group in groups], ignore_index=True)
