"""Likeness of edges, whatever the colours. One value a picture."""

import torch
from jaxtyping import Float
from torch import Tensor


def gradient_correlation(
    painted_luma: Float[Tensor, "b h w"], truth_luma: Float[Tensor, "b h w"]
) -> Float[Tensor, " b"]:
    """Correlation of the Sobel derivatives of luma, mean of x and y, in [-1, 1].

    An edge of the opposite contrast counts against the picture. A picture without any edge along
    an axis shares none there: 0. Penney et al. 1998, "gradient correlation".
    """
    pairs = zip(_derivatives(painted_luma), _derivatives(truth_luma), strict=True)
    return torch.stack([_correlation(one, other) for one, other in pairs]).mean(0)


def _derivatives(values: Float[Tensor, "b h w"]) -> tuple[Tensor, Tensor]:
    """Sobel derivatives along x and y, each (b, h - 2, w - 2): no border is made up."""
    across = values[:, :, 2:] - values[:, :, :-2]
    down = values[:, 2:] - values[:, :-2]
    along_x = across[:, :-2] + 2 * across[:, 1:-1] + across[:, 2:]
    along_y = down[:, :, :-2] + 2 * down[:, :, 1:-1] + down[:, :, 2:]
    return along_x, along_y


def _correlation(one: Float[Tensor, "b h w"], other: Float[Tensor, "b h w"]) -> Float[Tensor, " b"]:
    first, second = one.flatten(1), other.flatten(1)
    first, second = first - first.mean(1, keepdim=True), second - second.mean(1, keepdim=True)
    size = (first.square().sum(1) * second.square().sum(1)).sqrt()
    shared = (first * second).sum(1)
    return torch.where(size > 0, shared / size.where(size > 0, 1), torch.zeros_like(size))
