"""Readings that forgive what is no fault of the painting: a global shift, one gain and bias.

The two cameras of a data set are never aligned perfectly, and a perfect picture shifted by four
pixels scores like a poor one. These readings are taken for every row alike.
"""

from typing import Final

import torch
from jaxtyping import Float, Int64, UInt8
from torch import Tensor

REACH: Final = 8
"""Pixels: the largest shift that is tried, along each axis and either way."""


def after_best_shift(
    painted: UInt8[Tensor, "b c h w"], truth: UInt8[Tensor, "b c h w"]
) -> tuple[UInt8[Tensor, "b c h2 w2"], UInt8[Tensor, "b c h2 w2"]]:
    """Both pictures over one field, after the whole-pixel shift of least squared error.

    The field is the truth without a border of `REACH` pixels: every shift covers it, so all shifts
    and all rows are judged on the same pixels, and none gains by choosing an easy overlap.
    """
    height, width = (side - 2 * REACH for side in truth.shape[-2:])
    moved = [
        picture[:, REACH + dy : REACH + dy + height, REACH + dx : REACH + dx + width]
        for picture, (dy, dx) in zip(painted, best_shift(painted, truth).tolist(), strict=True)
    ]
    return torch.stack(moved), truth[..., REACH:-REACH, REACH:-REACH]


def best_shift(
    painted: UInt8[Tensor, "b c h w"], truth: UInt8[Tensor, "b c h w"]
) -> Int64[Tensor, "b 2"]:
    """(dy, dx) such that painted[y + dy, x + dx] is nearest to truth[y, x]; ties go to the smaller.

    All (2 REACH + 1)^2 shifts are compared exactly: |p - t|^2 = |p|^2 - 2 p.t + |t|^2, with p.t
    for all shifts at once by Fourier transform and rounded back to the whole number that it is.
    """
    errors = _own_energy(painted) - 2 * _products(painted, truth)
    shifts = _shifts(painted.device)
    ordered = errors[:, shifts[:, 0] + REACH, shifts[:, 1] + REACH]
    least = ordered == ordered.min(dim=1, keepdim=True).values
    return shifts[least.to(torch.uint8).argmax(dim=1)]


def after_gain_and_bias(
    painted: UInt8[Tensor, "b c h w"], truth: UInt8[Tensor, "b c h w"]
) -> UInt8[Tensor, "b c h w"]:
    """`painted` after the gain and bias (one of each a picture) of least squared error, in 8 bits.

    A flat picture gets gain 0. The gain may be negative: then the picture's contrast was inverted.
    """
    values, goal = painted.flatten(1).to(torch.int32), truth.flatten(1).to(torch.int32)
    count = values.shape[1]
    total, goal_total = values.sum(1), goal.sum(1)
    spread = count * (values * values).sum(1) - total * total  # whole numbers: nothing cancels
    shared = count * (values * goal).sum(1) - total * goal_total
    gain = torch.where(spread > 0, shared / spread.where(spread > 0, 1).double(), 0.0)
    bias = (goal_total - gain * total) / count
    levels = torch.arange(256, dtype=torch.float64, device=painted.device)
    mended = (gain[:, None] * levels + bias[:, None]).clamp(0, 255).round().to(torch.uint8)
    return mended.gather(1, values.long()).view_as(painted)


def _shifts(device: torch.device) -> Int64[Tensor, "n 2"]:
    """All (dy, dx) within reach, the smallest first."""
    axis = torch.arange(-REACH, REACH + 1, device=device)
    shifts = torch.cartesian_prod(axis, axis)
    return shifts[shifts.square().sum(1).argsort(stable=True)]


def _products(
    painted: UInt8[Tensor, "b c h w"], truth: UInt8[Tensor, "b c h w"]
) -> Float[Tensor, "b n n"]:
    """Inner product of the truth's field and the painted picture under every shift, exact.

    A circular transform of the picture's own size is enough: no shift leaves the picture.
    """
    size = (truth.shape[-2], truth.shape[-1])
    field = torch.zeros(truth.shape, dtype=torch.float64, device=truth.device)
    inner = (..., slice(REACH, -REACH), slice(REACH, -REACH))
    field[inner] = truth[inner].double()
    spectrum = torch.fft.rfft2(field).conj() * torch.fft.rfft2(painted.double())
    circular: Tensor = torch.fft.irfft2(spectrum.sum(1), s=size)
    centred = circular.roll((REACH, REACH), (-2, -1)).round()
    return centred[:, : 2 * REACH + 1, : 2 * REACH + 1]


def _own_energy(painted: UInt8[Tensor, "b c h w"]) -> Float[Tensor, "b n n"]:
    """Sum of squares of the painted picture inside the field under every shift, by running sums."""
    squares = painted.to(torch.int64).square().sum(1)
    running = torch.nn.functional.pad(squares.cumsum(1).cumsum(2), (1, 0, 1, 0))
    n = 2 * REACH + 1
    low_y, high_y = running[:, :n], running[:, -n:]
    box = high_y[:, :, -n:] - high_y[:, :, :n] - low_y[:, :, -n:] + low_y[:, :, :n]
    return box.double()
