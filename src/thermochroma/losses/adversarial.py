"""What a critic's judgement costs. Judgements are logits, one a patch; one value a picture."""

from collections.abc import Callable, Mapping
from typing import Final, NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional as F

from thermochroma.base.tensors import Picture, at_least_float32

Judgement = Float[Tensor, "b 1 y x"]


def cross_entropy_real(judgement: Judgement) -> Float[Tensor, " b"]:
    """Binary cross entropy against "real", mean over patches."""
    return _per_picture(
        F.binary_cross_entropy_with_logits(judgement, torch.ones_like(judgement), reduction="none")
    )


def cross_entropy_fake(judgement: Judgement) -> Float[Tensor, " b"]:
    """Binary cross entropy against "fake", mean over patches."""
    return _per_picture(
        F.binary_cross_entropy_with_logits(judgement, torch.zeros_like(judgement), reduction="none")
    )


def squares_real(judgement: Judgement) -> Float[Tensor, " b"]:
    """Least squares against 1, mean over patches (Mao et al., "LSGAN", ICCV 2017)."""
    return _per_picture((judgement - 1).square())


def squares_fake(judgement: Judgement) -> Float[Tensor, " b"]:
    """Least squares against 0, mean over patches."""
    return _per_picture(judgement.square())


class Criterion(NamedTuple):
    """What a judgement costs whose right answer is "real", and one whose right answer is "fake"."""

    real: Callable[[Judgement], Float[Tensor, " b"]]
    fake: Callable[[Judgement], Float[Tensor, " b"]]


CRITERIA: Final[Mapping[str, Criterion]] = {
    "cross_entropy": Criterion(cross_entropy_real, cross_entropy_fake),
    "least_squares": Criterion(squares_real, squares_fake),
}
"""For methods whose code offers both."""


def gradient_penalty(
    judge: Callable[[Picture], Judgement], real: Picture, fake: Picture
) -> Float[Tensor, " b"]:
    """(2-norm of the judgement's gradient - 1)^2 between real and fake (Gulrajani et al., 2017).

    The gradient is that of the sum over patches, taken at a random place on the straight line
    between the two pictures. In float32 at least, whatever surrounds it; only the critic learns from it.
    """
    real, fake = at_least_float32(real.detach()), at_least_float32(fake.detach())
    with torch.enable_grad(), torch.autocast(real.device.type, enabled=False):
        share = torch.rand(len(real), 1, 1, 1, device=real.device, dtype=real.dtype)
        between = torch.lerp(fake, real, share).requires_grad_()
        (slope,) = torch.autograd.grad(judge(between).sum(), between, create_graph=True)
    return (slope.flatten(1).norm(dim=1) - 1).square()


def _per_picture(values: Judgement) -> Float[Tensor, " b"]:
    return values.flatten(1).mean(1)
