"""What a critic's judgement costs. Judgements are logits, one a patch; one value a picture."""

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional as F

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


def _per_picture(values: Judgement) -> Float[Tensor, " b"]:
    return values.flatten(1).mean(1)
