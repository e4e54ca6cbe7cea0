"""Share of the input's edges that the prediction has too. One value per image.

APCE after the evaluation of PearlGAN (Luo et al., IEEE T-ITS 2022): Canny's edges of the input, at many
thresholds, and the share of them that the prediction has at the same place. Invented edges do not lower
it, so it is accompanied by an F-measure, which they do lower.
Deviations: 20 thresholds (0.025, 0.075, ..., 0.975) instead of 99; the mean over thresholds is taken first,
for one value an image, where theirs takes the mean over images first.
"""

from typing import Final

import cv2
import numpy as np
from jaxtyping import Float, Int, UInt8

SIGMA: Final = 2**0.5
"""Sigma, in pixels, of the Gaussian before the gradient is taken."""
THRESHOLDS: Final = tuple(round(0.025 + 0.05 * n, 3) for n in range(20))
"""Upper thresholds, as shares of the steepest gradient in the image; the lower one is half of each."""
LOWER: Final = 0.5

FRAME: Final = ((1, 1), (0, 1))  # one row above and below, one column behind
STEPS: Final = 16  # of the spreading, between two checks whether it has ended

Grey = UInt8[np.ndarray, "h w"]


def edges_kept(prediction: Grey, seen: Grey) -> tuple[float, float]:
    """APCE and the F-measure, in [0, 1]; means over the thresholds at which `seen` has edges.

    NaN for a `seen` without any. The F-measure counts edges that only the prediction has as wrong.
    """
    mine = thresholds_passed(ridge_strengths(prediction))
    theirs = thresholds_passed(ridge_strengths(seen))
    found, wanted, both = (_passing(each) for each in (mine, theirs, np.minimum(mine, theirs)))
    there = wanted > 0
    if not there.any():
        return float("nan"), float("nan")
    kept = both[there] / wanted[there]
    balanced = 2 * both[there] / (wanted + found)[there]
    return float(kept.mean()), float(balanced.mean())


def thresholds_passed(strength: Float[np.ndarray, "h w"]) -> Grey:
    """Number of the `THRESHOLDS` at which each pixel is an edge; these are always the lowest ones.

    Hysteresis: a pixel is an edge if it is above the lower threshold and connected with one above the
    upper, through pixels above the lower. A lower threshold only adds edges. So all thresholds are done
    at once: the number of upper ones passed spreads from pixel to pixel and is capped by the number of
    lower ones passed there (grey reconstruction by dilation, Vincent 1993).
    """
    limits = np.array(THRESHOLDS)
    reached, cap = (
        np.pad(_limits_reached(strength, some), FRAME) for some in (limits, LOWER * limits)
    )
    while True:
        before = reached.copy()
        for _ in range(STEPS):
            _spread(reached, cap)
        if np.array_equal(before, reached):
            return reached[1:-1, :-1]


def _spread(reached: Grey, cap: Grey) -> None:
    """Spread by one step to all eight neighbours, in place, inside a frame that is always 0.

    Rows are stored one behind the other, so that each maximum is one fast pass over the whole image;
    because of the frame, the end of a row does not spread into the next one.
    """
    row, flat = reached.shape[1], reached.ravel()
    across = flat.copy()
    np.maximum(across[1:], flat[:-1], out=across[1:])
    np.maximum(across[:-1], flat[1:], out=across[:-1])
    inner = flat[row:-row]
    np.maximum(across[row:-row], across[: -2 * row], out=inner)
    np.maximum(inner, across[2 * row :], out=inner)
    np.minimum(flat, cap.ravel(), out=flat)


def _limits_reached(strength: Float[np.ndarray, "h w"], limits: Float[np.ndarray, " n"]) -> Grey:
    """Number of the rising limits that each strength reaches; 0 where there is no ridge."""
    ridges = np.flatnonzero(strength)
    strengths, reached = strength.ravel()[ridges], np.zeros(ridges.shape, np.uint8)
    for limit in limits.astype(np.float32):
        reached += strengths >= limit
    counts = np.zeros(strength.shape, np.uint8)
    counts.ravel()[ridges] = reached
    return counts


def _passing(passed: Grey) -> Int[np.ndarray, " thresholds"]:
    """Number of edge pixels at each threshold."""
    counts = np.bincount(passed.ravel(), minlength=len(THRESHOLDS) + 1)
    return counts[::-1].cumsum()[::-1][1:]


def ridge_strengths(image: Grey) -> Float[np.ndarray, "h w"]:
    """Gradient where it is greatest across the edge, over the steepest in the image; 0 elsewhere."""
    smooth = cv2.GaussianBlur(np.ascontiguousarray(image).astype(np.float32), (0, 0), SIGMA)
    across, down = cv2.Sobel(smooth, -1, 1, 0), cv2.Sobel(smooth, -1, 0, 1)
    strength = np.hypot(across, down)
    if strength.max() <= 0:
        return strength
    # 0, 1, 2, 3: across, down and across, down, down and back; opposite slopes are one direction
    direction = np.rint(np.arctan2(down, across) * np.float32(4 / np.pi)).astype(np.int8) & 3
    padded = np.pad(strength, 1)
    height, width = strength.shape
    is_ridge = np.zeros(strength.shape, bool)
    for number, (dx, dy) in enumerate(((1, 0), (1, 1), (0, 1), (-1, 1))):
        ahead = padded[1 + dy : 1 + dy + height, 1 + dx : 1 + dx + width]
        behind = padded[1 - dy : 1 - dy + height, 1 - dx : 1 - dx + width]
        is_ridge |= (direction == number) & (strength >= ahead) & (strength > behind)
    return strength * is_ridge / strength.max()
