"""The linear probe against ridge regression written down with all cells in one matrix."""

import numpy as np
import pytest
import torch
from torch import Tensor

from thermochroma.base.errors import BadInput
from thermochroma.baselines.linear_probe import CELL, RIDGE, fit_linear_probe
from thermochroma.baselines.trivial import TrainingImages

SIDE = 4 * CELL


def features(image: Tensor) -> tuple[Tensor, ...]:
    """Two maps, of strides 2 and 4: means, and means of squares."""
    fine = torch.nn.functional.avg_pool2d(image[:, :2], 2)
    coarse = torch.nn.functional.avg_pool2d(image[:, 2:].square(), 4)
    return fine, coarse


def made_up(count: int, channels: int = 3) -> tuple[np.ndarray, np.ndarray, TrainingImages]:
    random = np.random.default_rng(0)
    cells = random.integers(20, 230, (count, 4, 4))
    greys = cells.repeat(CELL, 1).repeat(CELL, 2).astype(np.uint8)
    targets = np.stack([greys // (2 + channel) for channel in range(channels)], -1)
    training = TrainingImages(
        greys=lambda: (greys[place : place + 2] for place in range(0, count, 2)),
        targets=lambda: (targets[place : place + 2] for place in range(0, count, 2)),
        target=lambda row: targets[row],
        channels=channels,
    )
    return greys, targets, training


@pytest.mark.parametrize("channels", [1, 3])
def test_it_is_ridge_regression_over_all_cells(channels: int) -> None:
    greys, targets, training = made_up(5, channels)
    grey = torch.from_numpy(greys)[:, None].double() / 127.5 - 1
    first, second = features(grey.expand(-1, 3, -1, -1))
    cell = torch.nn.functional.adaptive_avg_pool2d
    x = torch.cat([cell(first, 4), cell(second, 4)], 1).movedim(1, -1)
    whole = second.mean((2, 3))[:, None, None].expand(-1, 4, 4, -1)
    x = torch.cat([x, whole], -1).reshape(-1, 4).numpy()
    y = targets[:, CELL // 2 :: CELL, CELL // 2 :: CELL].reshape(-1, channels).astype(float)
    centred = x - x.mean(0)
    penalty = RIDGE * x.var(0).mean() * len(x) * np.eye(4)
    slopes = np.linalg.solve(centred.T @ centred + penalty, centred.T @ (y - y.mean(0)))
    wanted = (centred @ slopes + y.mean(0)).reshape(5, 4, 4, channels)

    predicted = fit_linear_probe(training, features)(torch.from_numpy(greys)[:, None])
    # between the middles of two cells of a row, the colour is interpolated
    middles = predicted[:, :, CELL // 2 :: CELL, CELL // 2 :: CELL].movedim(1, -1).double().numpy()
    steps = np.abs(np.diff(wanted, axis=1)).max() + np.abs(np.diff(wanted, axis=2)).max()
    np.testing.assert_allclose(middles, wanted, atol=0.5 + steps / (2 * CELL) * 2)


def test_other_sizes_and_small_images_get_a_colour() -> None:
    _, _, training = made_up(4)
    predict = fit_linear_probe(training, features)
    for height, width in ((SIDE, 2 * SIDE), (8, 8)):
        grey = torch.full((1, 1, height, width), 100, dtype=torch.uint8)
        assert predict(grey).shape == (1, 3, height, width)
        assert predict(grey).dtype == torch.uint8


def test_without_images_it_says_so() -> None:
    nothing = TrainingImages(
        greys=lambda: iter(()),
        targets=lambda: iter(()),
        target=lambda row: np.zeros((SIDE, SIDE, 3), np.uint8),
        channels=3,
    )
    with pytest.raises(BadInput, match="no images"):
        fit_linear_probe(nothing, features)
