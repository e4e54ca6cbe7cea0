"""Losses that compare or smooth single pixels. Each gives one value a picture."""

from jaxtyping import Float
from torch import Tensor

from thermochroma.base.tensors import Picture


def absolute(painted: Picture, target: Picture) -> Float[Tensor, " b"]:
    """Mean absolute difference over pixels and channels."""
    return (painted - target).abs().flatten(1).mean(1)


def total_variation(painted: Picture) -> Float[Tensor, " b"]:
    """Sum of absolute differences of neighbours, both axes and all channels, by height times width.

    The lineage TIC-CGAN, MUGAN, LKAT-GAN, CMMF-Net divides by a constant 256 * 256 and sums over
    the batch; this equals it for one picture of 256x256 and stays right for others.
    """
    height, width = painted.shape[-2:]
    across = (painted[..., 1:] - painted[..., :-1]).abs().flatten(1).sum(1)
    down = (painted[..., 1:, :] - painted[..., :-1, :]).abs().flatten(1).sum(1)
    return (across + down) / (height * width)
