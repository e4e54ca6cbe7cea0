"""Losses of a critic's logits, one logit per patch: one value per image."""

from collections.abc import Callable, Mapping
from typing import Final, NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional as F

from thermochroma.base import whole_batch
from thermochroma.base.tensors import Image, at_least_float32

Logits = Float[Tensor, "b 1 y x"]


def cross_entropy_real(logits: Logits) -> Float[Tensor, " b"]:
    """Binary cross entropy against "real", mean over patches."""
    return _per_image(
        F.binary_cross_entropy_with_logits(logits, torch.ones_like(logits), reduction="none")
    )


def cross_entropy_fake(logits: Logits) -> Float[Tensor, " b"]:
    """Binary cross entropy against "fake", mean over patches."""
    return _per_image(
        F.binary_cross_entropy_with_logits(logits, torch.zeros_like(logits), reduction="none")
    )


def squares_real(logits: Logits) -> Float[Tensor, " b"]:
    """Least squares against 1, mean over patches (Mao et al., "LSGAN", ICCV 2017)."""
    return _per_image((logits - 1).square())


def squares_fake(logits: Logits) -> Float[Tensor, " b"]:
    """Least squares against 0, mean over patches."""
    return _per_image(logits.square())


class Criterion(NamedTuple):
    """Loss of logits whose right answer is "real", and of logits whose right answer is "fake"."""

    real: Callable[[Logits], Float[Tensor, " b"]]
    fake: Callable[[Logits], Float[Tensor, " b"]]


CRITERIA: Final[Mapping[str, Criterion]] = {
    "cross_entropy": Criterion(cross_entropy_real, cross_entropy_fake),
    "least_squares": Criterion(squares_real, squares_fake),
}
"""Criteria by the name that a setting gives, for methods whose public code offers both."""


def gradient_penalty(
    score: Callable[[Image], Logits], real: Image, fake: Image
) -> Float[Tensor, " b"]:
    """Penalty (2-norm of the logits' gradient - 1)^2 between real and fake (Gulrajani et al., 2017).

    The gradient is that of the sum over patches, taken at a random place on the straight line
    between the two images. In float32 at least, also under autocast; only the critic learns from it.
    """
    real, fake = at_least_float32(real.detach()), at_least_float32(fake.detach())
    with torch.enable_grad(), torch.autocast(real.device.type, enabled=False):
        share = whole_batch.drawn(
            len(real),
            lambda rows: torch.rand(rows, 1, 1, 1, device=real.device, dtype=real.dtype),
        )
        between = torch.lerp(fake, real, share).requires_grad_()
        (slope,) = torch.autograd.grad(score(between).sum(), between, create_graph=True)
    return (slope.flatten(1).norm(dim=1) - 1).square()


def _per_image(values: Logits) -> Float[Tensor, " b"]:
    return values.flatten(1).mean(1)
