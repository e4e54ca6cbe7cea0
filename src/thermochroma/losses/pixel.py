"""Losses that compare or smooth single pixels. Each gives one value per image."""

from jaxtyping import Float
from torch import Tensor

from thermochroma.base.tensors import Image


def absolute(output: Image, target: Image) -> Float[Tensor, " b"]:
    """Mean absolute difference over pixels and channels."""
    return (output - target).abs().flatten(1).mean(1)


def total_variation(output: Image) -> Float[Tensor, " b"]:
    """Sum of absolute differences of neighbours, both axes and all channels, over height times width.

    The lineage TIC-CGAN, MUGAN, LKAT-GAN, CMMF-Net divides by a constant 256 * 256 and sums over
    the batch; this equals it for one image of 256x256 and stays right for others.
    """
    height, width = output.shape[-2:]
    across = (output[..., 1:] - output[..., :-1]).abs().flatten(1).sum(1)
    down = (output[..., 1:, :] - output[..., :-1, :]).abs().flatten(1).sum(1)
    return (across + down) / (height * width)
