"""Rows that need no learning worth the name; no painter here is ever handed the truth."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final, TypeAlias

import numpy as np
import torch
from jaxtyping import Float, Int64, UInt8
from torch import Tensor

from thermochroma.errors import BadInput
from thermochroma.images import VisiblePicture

ThermalBytes: TypeAlias = UInt8[Tensor, "b 1 h w"]
VisibleBytes: TypeAlias = UInt8[Tensor, "b 3 h w"]
TrivialPainter: TypeAlias = Callable[[Tensor], Tensor]
"""ThermalBytes to VisibleBytes of the same size."""

THUMBNAIL: Final = 16
"""Pixels: the side of the thumbnails by which the nearest training frame is found."""


@dataclass(frozen=True)
class TrainingPictures:
    """The training frames, in one order; each call starts a new pass over batches of any size."""

    thermals: Callable[[], Iterable[UInt8[np.ndarray, "n h w"]]]
    visibles: Callable[[], Iterable[UInt8[np.ndarray, "n h w 3"]]]
    visible: Callable[[int], VisiblePicture]
    """The visible picture of one row, so that no painter has to keep them all."""


def fit_copied(_training: TrainingPictures) -> TrivialPainter:
    """The thermal picture, shown as grey. Nothing is fitted."""
    return _copied


def fit_inverted(_training: TrainingPictures) -> TrivialPainter:
    """The thermal picture's negative, shown as grey. Nothing is fitted."""
    return _inverted


def fit_mean_colour(training: TrainingPictures) -> TrivialPainter:
    """One flat colour: the mean of all training pixels, rounded.

    Raises BadInput without pictures.
    """
    total, count = np.zeros(3, dtype=np.int64), 0
    for batch in training.visibles():
        total += batch.sum(axis=(0, 1, 2), dtype=np.int64)
        count += batch.shape[0] * batch.shape[1] * batch.shape[2]
    colour = rounded(torch.from_numpy(total).double() / _at_least_one(count)).view(1, 3, 1, 1)

    def paint(thermal: ThermalBytes) -> VisibleBytes:
        height, width = thermal.shape[-2:]
        return colour.to(thermal.device).repeat(len(thermal), 1, height, width)

    return paint


def fit_mean_picture(training: TrainingPictures) -> TrivialPainter:
    """One picture: the mean of the training pictures, pixel by pixel, rounded.

    Raises BadInput without pictures.
    """
    total, count = np.zeros((), dtype=np.int64), 0
    for batch in training.visibles():
        total = total + batch.sum(axis=0, dtype=np.int64)
        count += len(batch)
    _at_least_one(count)
    picture = rounded(torch.from_numpy(total).double() / count).permute(2, 0, 1)[None].contiguous()

    def paint(thermal: ThermalBytes) -> VisibleBytes:
        return picture.to(thermal.device).repeat(len(thermal), 1, 1, 1)

    return paint


def fit_nearest(training: TrainingPictures) -> TrivialPainter:
    """The visible picture of the training frame whose thermal thumbnail is nearest.

    Thumbnails are 16x16 area means rounded to 8 bits, compared by squared difference; the first
    frame wins a tie. Only the thumbnails are kept. Raises BadInput without pictures.
    """
    batches = [thumbnails(torch.from_numpy(batch)[:, None]) for batch in training.thermals()]
    _at_least_one(sum(len(batch) for batch in batches))
    known = torch.cat(batches)

    def paint(thermal: ThermalBytes) -> VisibleBytes:
        rows = nearest_rows(thumbnails(thermal.cpu()), known)
        pictures = np.stack([training.visible(row) for row in rows.tolist()])
        return torch.from_numpy(pictures).permute(0, 3, 1, 2).contiguous().to(thermal.device)

    return paint


def thumbnails(thermal: ThermalBytes) -> Float[Tensor, "b n"]:
    """Area means on a 16x16 grid, rounded to whole levels (0 to 255) and laid out flat."""
    grid = torch.nn.functional.adaptive_avg_pool2d(thermal.float(), THUMBNAIL)
    return grid.round().flatten(1)


def nearest_rows(
    sought: Float[Tensor, "b n"], known: Float[Tensor, "rows n"]
) -> Int64[Tensor, " b"]:
    """For each of `sought`, the first row of `known` at the least squared distance."""
    # Products of whole levels stay below 2^24: exact in fp32, in any order of summing.
    distances = known.square().sum(1).double() - 2 * (sought @ known.T).double()
    return torch.from_numpy(distances.numpy().argmin(axis=1))


def _copied(thermal: ThermalBytes) -> VisibleBytes:
    return thermal.repeat(1, 3, 1, 1)


def _inverted(thermal: ThermalBytes) -> VisibleBytes:
    return (255 - thermal).repeat(1, 3, 1, 1)


def rounded(values: Float[Tensor, "*any"]) -> UInt8[Tensor, "*any"]:
    """Levels (0 to 255) to 8 bits, clamped and rounded."""
    return values.clamp(0, 255).round().to(torch.uint8)


def _at_least_one(count: int) -> int:
    if count == 0:
        raise BadInput(
            given="the training split has no pictures",
            needed="the mean and nearest rows are made from training pictures",
            remedy="put at least one sequence into the training split",
        )
    return count
