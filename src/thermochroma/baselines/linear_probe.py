"""The linear probe: ridge regression from a frozen network's features to colours, in closed form.

What a network of any method should at least learn from pairs; between the trivial rows and the methods.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, TypeAlias

import torch
import torch.nn.functional as F
from jaxtyping import Float, UInt8
from torch import Tensor

from thermochroma.base.tensors import to_network
from thermochroma.baselines.trivial import (
    GreyBytes,
    PredictedBytes,
    TrainingImages,
    TrivialPredictor,
    refuse_no_images,
    rounded,
)

CELL: Final = 16
"""Side in pixels of the cells for which a colour is predicted."""
RIDGE: Final = 0.3
"""Penalty of squared weights, in units of the features' mean variance; chosen on validation images."""
Features: TypeAlias = Callable[[Float[Tensor, "b 3 h w"]], tuple[Float[Tensor, "b _ _ _"], ...]]
"""Function from images in [-1, 1] to feature maps, the coarsest last."""


@dataclass
class _Sums:
    """Sums over all cells of all images, from which ridge regression follows."""

    count: int
    x: Float[Tensor, " d"]
    y: Float[Tensor, " c"]
    xx: Float[Tensor, "d d"]
    xy: Float[Tensor, "d c"]

    def solve(self) -> tuple[Float[Tensor, "d c"], Float[Tensor, " c"]]:
        """Slopes and offsets."""
        mean_x, mean_y = self.x / self.count, self.y / self.count
        spread = self.xx / self.count - torch.outer(mean_x, mean_x)
        shared = self.xy / self.count - torch.outer(mean_x, mean_y)
        ridge = RIDGE * spread.diagonal().mean() * torch.eye(len(mean_x), dtype=spread.dtype)
        slopes = torch.linalg.solve(spread + ridge, shared)
        return slopes, mean_y - mean_x @ slopes


def fit_linear_probe(training: TrainingImages, features: Features) -> TrivialPredictor:
    """Fit the colour of each cell of 16x16 pixels; between cells colours are interpolated.

    features of a cell: its means of all maps, and the mean of the coarsest map over the image.
    Raises BadInput without images.
    """
    slopes, offsets = _summed(training, features).solve()

    @torch.no_grad()
    def predict(grey: GreyBytes) -> PredictedBytes:
        colours = cells_of(grey, features) @ slopes.float() + offsets.float()
        height, width = grey.shape[-2:]
        image = F.interpolate(
            colours.movedim(-1, 1), (height, width), mode="bilinear", align_corners=False
        )
        return rounded(image)

    return predict


@torch.no_grad()
def cells_of(grey: GreyBytes, features: Features) -> Float[Tensor, "b y x d"]:
    """Features of every cell."""
    maps = features(to_network(grey).expand(-1, 3, -1, -1))
    size = cells_in(grey)
    pooled = [F.adaptive_avg_pool2d(one, size) for one in maps]
    whole = maps[-1].mean((2, 3), keepdim=True).expand(-1, -1, *size)
    return torch.cat([*pooled, whole], 1).movedim(1, -1)


def cells_in(image: UInt8[Tensor, "b _ h w"]) -> tuple[int, int]:
    """Number of cells below and beside each other; at least one."""
    height, width = image.shape[-2:]
    return max(1, height // CELL), max(1, width // CELL)


def _summed(training: TrainingImages, features: Features) -> _Sums:
    sums: _Sums | None = None
    for greys, targets in zip(training.greys(), training.targets(), strict=True):
        grey = torch.from_numpy(greys)[:, None]
        target = torch.from_numpy(targets).movedim(-1, 1).float()
        x = cells_of(grey, features).flatten(0, 2).double()
        y = F.adaptive_avg_pool2d(target, cells_in(grey)).movedim(1, -1).flatten(0, 2).double()
        some = _Sums(len(x), x.sum(0), y.sum(0), x.T @ x, x.T @ y)
        sums = some if sums is None else _added(sums, some)
    refuse_no_images(0 if sums is None else sums.count)
    assert sums is not None
    return sums


def _added(one: _Sums, other: _Sums) -> _Sums:
    return _Sums(
        one.count + other.count,
        one.x + other.x,
        one.y + other.y,
        one.xx + other.xx,
        one.xy + other.xy,
    )
