"""Likeness of edges, whatever the colours. One value per image."""

from typing import TypeAlias

import cv2
import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

Luma: TypeAlias = Float[np.ndarray, "h w"]


def gradient_correlation(
    predicted_luma: Float[Tensor, "b h w"], truth_luma: Float[Tensor, "b h w"]
) -> Float[Tensor, " b"]:
    """Correlation of the Sobel derivatives of luma, mean of x and y, in [-1, 1].

    An edge of the opposite contrast counts against the image. An image without any edge along
    an axis shares none there: 0. Penney et al. 1998, "gradient correlation".
    """
    pairs = zip(predicted_luma.cpu().numpy(), truth_luma.cpu().numpy(), strict=True)
    found = [gradient_correlation_of(*pair) for pair in pairs]
    return torch.tensor(found, dtype=torch.float64)


def gradient_correlation_of(prediction: Luma, truth: Luma) -> float:
    """Correlation of one image as in `gradient_correlation`, from its luma in any unit."""
    axes = ((1, 0), (0, 1))
    return float(
        np.mean([_correlation(*(_slope(x, axis) for x in (prediction, truth))) for axis in axes])
    )


def _slope(luma: Luma, axis: tuple[int, int]) -> Float[np.ndarray, " n"]:
    """Sobel derivative, without the border pixels."""
    return cv2.Sobel(luma, -1, *axis)[1:-1, 1:-1].astype(np.float64).ravel()


def _correlation(one: Float[np.ndarray, " n"], other: Float[np.ndarray, " n"]) -> float:
    one, other = one - one.mean(), other - other.mean()
    size = float(np.sqrt(_product(one, one) * _product(other, other)))
    return _product(one, other) / size if size > 0 else 0.0


def _product(one: Float[np.ndarray, " n"], other: Float[np.ndarray, " n"]) -> float:
    """Inner product, in one thread: for so few numbers, several cost more than they save."""
    return float(np.einsum("n,n->", one, other))
