"""From painted pictures to scores: the pictures that a person could open, one row a picture."""

import numpy as np
import pandas as pd
import torch
from jaxtyping import Float, UInt8
from torch import Tensor

from thermochroma.base.manifest import FACTS, JUDGED_SPLITS
from thermochroma.inference.predictions import Painted, spread, truth_of
from thermochroma.loading.crops import Crops
from thermochroma.metrics.colour import luma
from thermochroma.metrics.contours import edges_kept
from thermochroma.metrics.picture_scores import score_pictures

SEEN = {"visible": "thermal", "thermal": "visible"}
"""By the spectrum that is painted."""


def score_rows(
    crops: Crops, rows: pd.DataFrame, painted: Painted, *, spectrum: str
) -> pd.DataFrame:
    """The facts of the rows and every score, one row a picture. spectrum: the one that is painted."""
    truth = truth_of(crops, rows, spectrum=spectrum)
    scores = {name: values.numpy() for name, values in score_pictures(painted, truth).items()}
    scores |= edge_scores(painted, truth_of(crops, rows, spectrum=SEEN[spectrum]))
    return pd.concat(
        [rows[FACTS].reset_index(drop=True), pd.DataFrame(scores).reset_index(drop=True)], axis=1
    )


def edge_scores(
    painted: Painted, seen: UInt8[Tensor, "b seen h w"]
) -> dict[str, Float[np.ndarray, " b"]]:
    """Whether the edges of what was seen were painted: APCE and the F-measure, one value a picture."""
    pairs = zip(in_grey(painted).numpy(), in_grey(seen).numpy(), strict=True)
    edges = np.array([edges_kept(*pair) for pair in pairs])
    return {"edges_kept": edges[:, 0], "edges_f": edges[:, 1]}


def in_grey(pictures: Painted) -> UInt8[Tensor, "b h w"]:
    """Rounded luma of visible pictures; thermal ones as they are."""
    return luma(pictures).round().to(torch.uint8)


def judged_rows(crops: Crops, frames_per_sequence: int | None) -> pd.DataFrame:
    """The frames that every row of the table is judged on: of each held-out sequence so many, evenly
    spread, or all if None."""
    rows = pd.concat([crops.split(split) for split in JUDGED_SPLITS], ignore_index=True)
    if frames_per_sequence is None:
        return rows
    groups = rows.groupby("sequence", sort=False)
    return pd.concat([spread(group, frames_per_sequence) for _, group in groups], ignore_index=True)
