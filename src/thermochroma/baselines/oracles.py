"""Oracles: rows that see the truth, and show the best scores that a kind of prediction could reach."""

from collections.abc import Callable
from typing import Final, TypeAlias

import cv2
import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from thermochroma.baselines.trivial import GreyBytes, PredictedBytes, rounded

OraclePredictor: TypeAlias = Callable[[Tensor, Tensor], Tensor]
"""Function of the input (GreyBytes) and the truth (PredictedBytes) to a prediction (PredictedBytes)."""

RADIUS: Final = 8  # pixels: windows of the local affine map are 2 x 8 + 1 wide
BLUR_SIGMA: Final = 2.0  # pixels
SHIFT: Final = 2  # pixels
FLAT: Final = 1e-3  # squared grey levels: keeps a window without contrast from dividing by zero


def own_mean_colour(_grey: GreyBytes, truth: PredictedBytes) -> PredictedBytes:
    """Predict each image as the mean colour of its own truth."""
    mean = truth.double().mean((2, 3), keepdim=True)
    return rounded(mean).expand_as(truth).contiguous()


def own_look_up_table(grey: GreyBytes, truth: PredictedBytes) -> PredictedBytes:
    """Predict each input level as the mean colour that it has in this image's truth."""
    levels, channels = grey.flatten(2).long(), truth.shape[1]
    counts = torch.zeros(len(grey), 1, 256, dtype=torch.float64, device=grey.device)
    counts.scatter_add_(2, levels, torch.ones_like(levels, dtype=torch.float64))
    sums = torch.zeros(len(grey), channels, 256, dtype=torch.float64, device=grey.device)
    spread = levels.expand(-1, channels, -1)
    sums.scatter_add_(2, spread, truth.flatten(2).double())
    table = rounded(sums / counts.clamp(min=1))
    return table.gather(2, spread).view_as(truth)


def local_affine(grey: GreyBytes, truth: PredictedBytes, radius: int = RADIUS) -> PredictedBytes:
    """Predict by the best line from the input to each channel per window, averaged over windows.

    The guided filter (He, Sun and Tang 2013, Eq. 5, 6 and 8) with the input as guide and no
    smoothing. radius: in pixels.
    """
    guide, goal = grey.double(), truth.double()
    mean, goal_mean = _window_mean(guide, radius), _window_mean(goal, radius)
    variance = _window_mean(guide * guide, radius) - mean * mean
    covariance = _window_mean(guide * goal, radius) - mean * goal_mean
    slope = covariance / (variance + FLAT)
    offset = goal_mean - slope * mean
    return rounded(_window_mean(slope, radius) * guide + _window_mean(offset, radius))


def truth_blurred(
    _grey: GreyBytes, truth: PredictedBytes, sigma: float = BLUR_SIGMA
) -> PredictedBytes:
    """Blur the truth by a Gaussian (sigma in pixels), cut at 4 sigma, borders mirrored."""
    reach = int(4 * sigma + 0.5)
    kernel = cv2.getGaussianKernel(2 * reach + 1, sigma, cv2.CV_64F)
    images = truth.permute(0, 2, 3, 1).double().cpu().numpy()
    blurred = [
        cv2.sepFilter2D(one, -1, kernel, kernel, borderType=cv2.BORDER_REFLECT_101)
        for one in images
    ]
    values = torch.from_numpy(np.stack(blurred)).view(images.shape).permute(0, 3, 1, 2)
    return rounded(values).to(truth.device).contiguous()


def truth_shifted(_grey: GreyBytes, truth: PredictedBytes, pixels: int = SHIFT) -> PredictedBytes:
    """Move the truth to the right by `pixels`, its left border repeated."""
    moved = truth.roll(pixels, -1)
    moved[..., :pixels] = truth[..., :1]
    return moved


def _window_mean(values: Float[Tensor, "b c h w"], radius: int) -> Float[Tensor, "b c h w"]:
    """Mean over the part of each square window that lies inside the image, one axis at a time."""
    return _mean_along(_mean_along(values, radius, 2), radius, 3)


def _mean_along(
    values: Float[Tensor, "b c h w"], radius: int, axis: int
) -> Float[Tensor, "b c h w"]:
    """Mean along one axis by running sums: a wide window costs no more than a narrow one."""
    side = values.shape[axis]
    places = torch.arange(side, device=values.device)
    first, behind = (places - radius).clamp(min=0), (places + radius + 1).clamp(max=side)
    nothing = torch.zeros_like(values.narrow(axis, 0, 1))
    running = torch.cat([nothing, values.cumsum(axis)], axis)
    sums = running.index_select(axis, behind) - running.index_select(axis, first)
    counts = (behind - first).to(values.dtype)
    return sums / (counts[:, None] if axis == 2 else counts)
