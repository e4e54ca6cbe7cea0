"""Trivial rows: at most a mean or a look-up is fitted; no predictor here ever gets the truth."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final, TypeAlias

import numpy as np
import torch
from jaxtyping import Float, Int64, UInt8
from torch import Tensor

from thermochroma.base.errors import BadInput

GreyBytes: TypeAlias = UInt8[Tensor, "b 1 h w"]
"""Input: thermal images or, from visible to thermal, the rounded luma of visible ones."""
PredictedBytes: TypeAlias = UInt8[Tensor, "b c h w"]
"""Prediction: visible images or, from visible to thermal, thermal ones of one channel."""
TrivialPredictor: TypeAlias = Callable[[Tensor], Tensor]
"""Function of GreyBytes to PredictedBytes of the same size."""

THUMBNAIL: Final = 16
"""Pixels: the side of the thumbnails by which the nearest training frame is found."""


@dataclass(frozen=True)
class TrainingImages:
    """The training frames, in one order; each call starts a new pass over batches of any size."""

    greys: Callable[[], Iterable[UInt8[np.ndarray, "n h w"]]]
    """Input images: see `GreyBytes`."""
    targets: Callable[[], Iterable[UInt8[np.ndarray, "n h w c"]]]
    target: Callable[[int], UInt8[np.ndarray, "h w c"]]
    """The target of one row, so that no predictor has to keep them all."""
    channels: int
    """Number of channels of the targets: 3 of visible images, 1 of thermal ones."""


def fit_copied(training: TrainingImages) -> TrivialPredictor:
    """Predict the input itself, as grey. Nothing is fitted."""
    return lambda grey: grey.repeat(1, training.channels, 1, 1)


def fit_inverted(training: TrainingImages) -> TrivialPredictor:
    """Predict the negative of the input, as grey. Nothing is fitted."""
    return lambda grey: (255 - grey).repeat(1, training.channels, 1, 1)


def fit_mean_colour(training: TrainingImages) -> TrivialPredictor:
    """Predict one flat colour: the mean of all training pixels, rounded.

    Raises BadInput without images.
    """
    total, count = np.zeros(training.channels, dtype=np.int64), 0
    for batch in training.targets():
        total += batch.sum(axis=(0, 1, 2), dtype=np.int64)
        count += batch.shape[0] * batch.shape[1] * batch.shape[2]
    colour = rounded(torch.from_numpy(total).double() / refuse_no_images(count)).view(1, -1, 1, 1)

    def predict(grey: GreyBytes) -> PredictedBytes:
        height, width = grey.shape[-2:]
        return colour.to(grey.device).repeat(len(grey), 1, height, width)

    return predict


def fit_mean_image(training: TrainingImages) -> TrivialPredictor:
    """Predict one image: the mean of the training images, pixel by pixel, rounded.

    Raises BadInput without images.
    """
    total, count = np.zeros((), dtype=np.int64), 0
    for batch in training.targets():
        total = total + batch.sum(axis=0, dtype=np.int64)
        count += len(batch)
    refuse_no_images(count)
    image = rounded(torch.from_numpy(total).double() / count).permute(2, 0, 1)[None].contiguous()

    def predict(grey: GreyBytes) -> PredictedBytes:
        return image.to(grey.device).repeat(len(grey), 1, 1, 1)

    return predict


def fit_nearest(training: TrainingImages) -> TrivialPredictor:
    """Predict the target of the training frame whose thumbnail is nearest.

    Thumbnails are 16x16 area means rounded to 8 bits, compared by squared difference; the first
    frame wins a tie. Only the thumbnails are kept. Raises BadInput without images.
    """
    batches = [thumbnails(torch.from_numpy(batch)[:, None]) for batch in training.greys()]
    refuse_no_images(sum(len(batch) for batch in batches))
    known = torch.cat(batches)

    def predict(grey: GreyBytes) -> PredictedBytes:
        rows = nearest_rows(thumbnails(grey.cpu()), known)
        images = np.stack([training.target(row) for row in rows.tolist()])
        return torch.from_numpy(images).permute(0, 3, 1, 2).contiguous().to(grey.device)

    return predict


def thumbnails(grey: GreyBytes) -> Float[Tensor, "b n"]:
    """Area means on a 16x16 grid, rounded to whole levels (0 to 255) and flattened to 256 values."""
    grid = torch.nn.functional.adaptive_avg_pool2d(grey.float(), THUMBNAIL)
    return grid.round().flatten(1)


def nearest_rows(
    sought: Float[Tensor, "b n"], known: Float[Tensor, "rows n"]
) -> Int64[Tensor, " b"]:
    """For each of `sought`, the first row of `known` at the least squared distance."""
    # Products of whole levels stay below 2^24: exact in fp32, in any order of summing.
    distances = known.square().sum(1).double() - 2 * (sought @ known.T).double()
    return torch.from_numpy(distances.numpy().argmin(axis=1))


def rounded(values: Float[Tensor, "*any"]) -> UInt8[Tensor, "*any"]:
    """Convert levels (0 to 255) to 8 bits, clamped and rounded."""
    return values.clamp(0, 255).round().to(torch.uint8)


def refuse_no_images(count: int) -> int:
    """Raise BadInput if `count` is 0; else return it."""
    if count == 0:
        raise BadInput(
            given="the training split has no images",
            needed="the mean and nearest rows are made from training images",
            remedy="put at least one sequence into the training split",
        )
    return count
