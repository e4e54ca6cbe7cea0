"""Tolerant scores, which ignore a global shift, or one gain and bias, of the prediction.

The two cameras of a data set are never aligned perfectly, and a perfect image shifted by four
pixels scores like a poor one. Tolerant scores are taken for every row alike.
"""

from collections.abc import Sequence
from itertools import product
from typing import Final

import cv2
import numpy as np
import torch
from jaxtyping import Float, Int64, UInt8
from torch import Tensor

from thermochroma.metrics.fidelity import Image, in_pairs

REACH: Final = 8
"""Largest shift that is tried, in pixels, along each axis in both directions."""
SHIFTS: Final = np.array(
    sorted(
        product(range(-REACH, REACH + 1), repeat=2), key=lambda shift: shift[0] ** 2 + shift[1] ** 2
    )
)
"""Shifts (dy, dx) within reach, the smallest first."""


def after_best_shift(
    prediction: UInt8[Tensor, "b c h w"], truth: UInt8[Tensor, "b c h w"]
) -> tuple[UInt8[Tensor, "b c h2 w2"], UInt8[Tensor, "b c h2 w2"]]:
    """Cut both images to one field, after the whole-pixel shift of least squared error.

    The field is the truth without a border of `REACH` pixels: every shift covers it, so all shifts
    and all rows are scored on the same pixels, and none gains by choosing an easy overlap.
    """
    moved = [
        image[:, *under_field(shift, truth.shape[-2:])]
        for image, shift in zip(prediction, best_shift(prediction, truth).tolist(), strict=True)
    ]
    return torch.stack(moved), truth[..., REACH:-REACH, REACH:-REACH]


def best_shift(
    prediction: UInt8[Tensor, "b c h w"], truth: UInt8[Tensor, "b c h w"]
) -> Int64[Tensor, "b 2"]:
    """Shift (dy, dx) that brings prediction[y + dy, x + dx] nearest to truth[y, x]; the least of equals."""
    return torch.tensor([best_shift_of(*pair) for pair in in_pairs(prediction, truth)])


def best_shift_of(prediction: Image, truth: Image) -> tuple[int, int]:
    """Shift of one image as in `best_shift`.

    All (2 REACH + 1)^2 shifts are compared exactly: |p - t|^2 = |p|^2 - 2 p.t + |t|^2, with p.t
    for all shifts at once by Fourier transform and rounded back to the whole number that it is.
    """
    errors = _own_energy(prediction) - 2 * _products(prediction, truth)
    dy, dx = SHIFTS[errors[*(SHIFTS + REACH).T].argmin()]  # the first of the least
    return int(dy), int(dx)


def under_field(shift: Sequence[int], size: Sequence[int]) -> tuple[slice, slice]:
    """Rows and columns of a shifted image that are compared with the truth's field."""
    (dy, dx), (height, width) = shift, size
    return slice(REACH + dy, height - REACH + dy), slice(REACH + dx, width - REACH + dx)


def after_gain_and_bias(
    prediction: UInt8[Tensor, "b c h w"], truth: UInt8[Tensor, "b c h w"]
) -> UInt8[Tensor, "b c h w"]:
    """Prediction after the gain and bias (one of each per image) of least squared error, in 8 bits.

    A flat image gets gain 0. The gain may be negative: then the image's contrast was inverted.
    """
    mended = [gain_and_bias_of(*pair) for pair in in_pairs(prediction, truth)]
    return torch.from_numpy(np.stack(mended))


def gain_and_bias_of(prediction: Image, truth: Image) -> Image:
    """One image after its gain and bias, as in `after_gain_and_bias`."""
    values, goal = (image.astype(np.float64).ravel() for image in (prediction, truth))
    count = values.size
    total, goal_total = values.sum(), goal.sum()
    spread = (
        count * np.einsum("n,n->", values, values) - total * total
    )  # whole numbers: nothing cancels
    shared = count * np.einsum("n,n->", values, goal) - total * goal_total
    gain = shared / spread if spread > 0 else 0.0
    bias = (goal_total - gain * total) / count
    mended = (gain * np.arange(256) + bias).clip(0, 255).round().astype(np.uint8)
    return cv2.LUT(prediction.reshape(-1, prediction.shape[-1]), mended).reshape(prediction.shape)


def _products(prediction: Image, truth: Image) -> Float[np.ndarray, "n n"]:
    """Inner product of the truth's field and the predicted image under every shift, exact.

    A circular transform of the image's own size is enough: no shift leaves the image.
    """
    height, width = truth.shape[-2:]
    field, inner = np.zeros(truth.shape), (..., *under_field((0, 0), (height, width)))
    field[inner] = truth[inner]
    spectra = (torch.fft.rfft2(torch.from_numpy(x)) for x in (field, prediction.astype(np.float64)))
    spectrum = torch.linalg.vecdot(*spectra, dim=0)  # the first is conjugated
    rows = torch.fft.ifft(spectrum, dim=0)[range(-REACH, REACH + 1)]
    products = torch.fft.irfft(rows, n=width)[:, range(-REACH, REACH + 1)]
    return products.round().numpy()


def _own_energy(prediction: Image) -> Float[np.ndarray, "n n"]:
    """Sum of squares of the predicted image inside the field under every shift, by running sums."""
    levels = prediction.astype(np.int32)
    running = cv2.integral((levels * levels).sum(axis=0).astype(np.float64), sdepth=cv2.CV_64F)
    n = 2 * REACH + 1
    low_y, high_y = running[:n], running[-n:]
    return high_y[:, -n:] - high_y[:, :n] - low_y[:, -n:] + low_y[:, :n]
