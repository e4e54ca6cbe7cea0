"""Ceiling of the scores: the truth itself, changed in known ways, scored as a prediction."""

from collections.abc import Iterator
from typing import Final

import numpy as np
import pandas as pd
import torch
from torch import Tensor
from tqdm import tqdm

from thermochroma.baselines import oracles
from thermochroma.evaluation.flicker import Pairs
from thermochroma.evaluation.scoring import SEEN, in_grey
from thermochroma.inference.predictions import Predicted, truth_of
from thermochroma.loading.crops import Crops
from thermochroma.metrics.fidelity import psnr, ssim
from thermochroma.metrics.temporal import flicker

SPECTRUM: Final = "visible"
SHIFTS: Final = (0, 1, 2, 4, 8)  # pixels
BLURS: Final = (1, 2, 4, 8)  # pixels: sigma
RADII: Final = (64, 32, 16, 8, 4)  # pixels: windows are twice as wide and one more
AT_ONCE: Final = 8  # images in memory
COLUMNS: Final = ["frame", "sequence", "what", "pixels", "ssim", "psnr"]


def score_ceiling(crops: Crops, rows: pd.DataFrame) -> pd.DataFrame:
    """Score every oracle on every frame: a table of COLUMNS, one line per oracle and image.

    Column `what`: shifted, blurred, affine (each with its pixels), own_look_up_table or own_mean_colour.
    """
    found = []
    for start in tqdm(range(0, len(rows), AT_ONCE), desc="ceiling", unit="batch"):
        some = rows.iloc[start : start + AT_ONCE]
        truth = truth_of(crops, some, spectrum=SPECTRUM)
        grey = in_grey(truth_of(crops, some, spectrum=SEEN[SPECTRUM]))[:, None]
        for what, pixels, prediction in _predictions(grey, truth):
            found.append(_scored(some, prediction, truth).assign(what=what, pixels=pixels))
    return pd.concat(found, ignore_index=True)[COLUMNS]


def score_neighbours(crops: Crops, pairs: Pairs) -> pd.DataFrame:
    """Score each true frame as a prediction of the next one: the change that no still image shows.

    Columns: frame, sequence, ssim, psnr, and flicker, the change in levels where motion is followed (NaN
    where there is nothing to follow). Empty without video.
    """
    columns = ["frame", "sequence", "ssim", "psnr", "flicker"]
    found = []
    for place, way in enumerate(pairs.ways):
        before, after = (
            truth_of(crops, rows.iloc[[place]], spectrum=SPECTRUM)
            for rows in (pairs.before, pairs.after)
        )
        change = flicker(_as_array(before), _as_array(after), way)
        rows = pairs.after.iloc[[place]]
        found.append(_scored(rows, before, after).assign(flicker=change))
    return pd.concat(found, ignore_index=True) if found else pd.DataFrame(columns=columns)


def _predictions(grey: Tensor, truth: Predicted) -> Iterator[tuple[str, float, Predicted]]:
    for pixels in SHIFTS:
        yield "shifted", pixels, oracles.truth_shifted(grey, truth, pixels)
    for sigma in BLURS:
        yield "blurred", sigma, oracles.truth_blurred(grey, truth, sigma)
    for radius in RADII:
        yield "affine", radius, oracles.local_affine(grey, truth, radius)
    yield "own_look_up_table", np.nan, oracles.own_look_up_table(grey, truth)
    yield "own_mean_colour", np.nan, oracles.own_mean_colour(grey, truth)


def _scored(rows: pd.DataFrame, prediction: Predicted, truth: Predicted) -> pd.DataFrame:
    one_by_one = list(zip(prediction.split(1), truth.split(1), strict=True))
    scores = {
        "ssim": torch.cat([ssim(*pair) for pair in one_by_one]).numpy(),
        "psnr": torch.cat([psnr(*pair) for pair in one_by_one]).numpy(),
    }
    return rows[["frame", "sequence"]].reset_index(drop=True).assign(**scores)


def _as_array(image: Predicted) -> np.ndarray:
    array: np.ndarray = image[0].permute(1, 2, 0).numpy()
    return array
