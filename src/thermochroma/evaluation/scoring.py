"""From predicted images to scores: the images that a person could open, one row an image."""

import numpy as np
import pandas as pd
import torch
from jaxtyping import Float, UInt8
from torch import Tensor

from thermochroma.base.manifest import FACTS, SCORED_SPLITS
from thermochroma.inference.predictions import Predicted, spread, truth_of
from thermochroma.loading.crops import Crops
from thermochroma.metrics.colour import luma
from thermochroma.metrics.contours import edges_kept
from thermochroma.metrics.image_scores import score_images

SEEN = {"visible": "thermal", "thermal": "visible"}
"""By the spectrum that is predicted."""


def score_rows(
    crops: Crops, rows: pd.DataFrame, prediction: Predicted, *, spectrum: str
) -> pd.DataFrame:
    """The facts of the rows and every score, one row an image. spectrum: the one that is predicted."""
    truth = truth_of(crops, rows, spectrum=spectrum)
    scores = {name: values.numpy() for name, values in score_images(prediction, truth).items()}
    scores |= edge_scores(prediction, truth_of(crops, rows, spectrum=SEEN[spectrum]))
    return pd.concat(
        [rows[FACTS].reset_index(drop=True), pd.DataFrame(scores).reset_index(drop=True)], axis=1
    )


def edge_scores(
    prediction: Predicted, seen: UInt8[Tensor, "b seen h w"]
) -> dict[str, Float[np.ndarray, " b"]]:
    """Whether the edges of what was seen were predicted: APCE and the F-measure, one value an image."""
    pairs = zip(in_grey(prediction).numpy(), in_grey(seen).numpy(), strict=True)
    edges = np.array([edges_kept(*pair) for pair in pairs])
    return {"edges_kept": edges[:, 0], "edges_f": edges[:, 1]}


def in_grey(images: Predicted) -> UInt8[Tensor, "b h w"]:
    """Rounded luma of visible images; thermal ones as they are."""
    return luma(images).round().to(torch.uint8)


def scored_rows(crops: Crops, frames_per_sequence: int | None) -> pd.DataFrame:
    """The frames that every row of the table is scored on: of each held-out sequence so many, evenly
    spread, or all if None."""
    rows = pd.concat([crops.split(split) for split in SCORED_SPLITS], ignore_index=True)
    if frames_per_sequence is None:
        return rows
    groups = rows.groupby("sequence", sort=False)
    return pd.concat([spread(group, frames_per_sequence) for _, group in groups], ignore_index=True)
