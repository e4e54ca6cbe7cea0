"""Formulas that several steps written by hand share: one mean over everything, as public code has it."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from pytorch_msssim import ssim
from torch import Tensor, nn
from torch.nn import functional as F

Costs = Iterator[tuple[str, Tensor]]
"""The cost of each player in turn; each is computed when the player before it was stepped."""


def cross_entropy(logits: Tensor, wanted: float) -> Tensor:
    """Binary cross entropy of logits whose right answer is `wanted`."""
    return F.binary_cross_entropy_with_logits(logits, torch.full_like(logits, wanted))


def squares(logits: Tensor, wanted: float) -> Tensor:
    """Least squares of logits whose right answer is `wanted`."""
    return F.mse_loss(logits, torch.full_like(logits, wanted))


def feature_distance(
    features: Any, fake: Tensor, real: Tensor, factors: Sequence[float] = (1.0, 1.0, 1.0, 1.0)
) -> Tensor:
    """Sum over four feature maps of the mean absolute difference."""
    with torch.no_grad():
        known = features(real)
    found = zip(features(fake), known, factors, strict=True)
    return torch.stack([factor * F.l1_loss(one, other) for one, other, factor in found]).sum()


def total_variation(fake: Tensor) -> Tensor:
    """Sum of absolute differences of neighbours, over pixels and images."""
    across, down = fake[..., 1:] - fake[..., :-1], fake[..., 1:, :] - fake[..., :-1, :]
    count, _, height, width = fake.shape
    return (across.abs().sum() + down.abs().sum()) / (height * width * count)


def dissimilarity(fake: Tensor, real: Tensor, side: int = 11) -> Tensor:
    """Dissimilarity 1 - SSIM of images in [-1, 1], by the library."""
    likeness: Tensor = ssim((fake + 1) / 2, (real + 1) / 2, data_range=1.0, win_size=side)
    return 1 - likeness


def patch_contrast(queries: Tensor, keys: Tensor) -> Tensor:
    """Cross entropy of finding each query's own key among the image's, temperature 0.07; one an image."""
    sought, known = F.normalize(queries, dim=-1), F.normalize(keys.detach(), dim=-1)
    likeness = sought @ known.transpose(1, 2) / 0.07
    own = torch.arange(likeness.shape[1], device=likeness.device).expand(len(likeness), -1)
    return F.cross_entropy(likeness.transpose(1, 2), own, reduction="none").mean(1)


@contextmanager
def fixed(network: nn.Module) -> Iterator[None]:
    """Compute no gradients of a network's weights inside the block."""
    network.requires_grad_(False)
    yield
    network.requires_grad_(True)
