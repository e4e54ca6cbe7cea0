"""Whether the edges that were seen are still there when painted. One value a picture.

APCE after the evaluation of PearlGAN (Luo et al., IEEE T-ITS 2022): Canny's edges of what was seen, at
many thresholds, and the share of them that the painted picture has at the same place. It cannot be lost
by inventing edges, so an F-measure stands beside it, which can.
Deviations: 20 thresholds (0.025, 0.075, ..., 0.975) instead of 99; the mean over thresholds is taken first,
for one value a picture, where theirs takes the mean over pictures first.
"""

from typing import Final

import cv2
import numpy as np
from jaxtyping import Bool, Float, UInt8

SIGMA: Final = 2**0.5
"""Pixels: the Gaussian before the slopes are taken."""
THRESHOLDS: Final = tuple(round(0.025 + 0.05 * n, 3) for n in range(20))
"""Upper ones, shares of the steepest slope in the picture; the lower one is half."""
LOWER: Final = 0.5

Grey = UInt8[np.ndarray, "h w"]


def edges_kept(painted: Grey, seen: Grey) -> tuple[float, float]:
    """APCE and the F-measure, in [0, 1]; means over the thresholds at which `seen` has edges.

    NaN for a `seen` without any. The second counts edges that only the painted picture has as wrong.
    """
    mine, theirs = ridge_strengths(painted), ridge_strengths(seen)
    _, here, there = np.intersect1d(
        np.flatnonzero(mine), np.flatnonzero(theirs), assume_unique=True, return_indices=True
    )
    kept, balanced = [], []
    for threshold in THRESHOLDS:
        wanted = edges_at(theirs, threshold)
        if not wanted.any():
            continue
        found = edges_at(mine, threshold)
        both = np.count_nonzero(found[here] & wanted[there])
        kept.append(both / np.count_nonzero(wanted))
        balanced.append(2 * both / (np.count_nonzero(wanted) + np.count_nonzero(found)))
    if not kept:
        return float("nan"), float("nan")
    return float(np.mean(kept)), float(np.mean(balanced))


def edges_at(strength: Float[np.ndarray, "h w"], threshold: float) -> Bool[np.ndarray, " ridges"]:
    """Which ridges are above the lower threshold and hang together with one above the upper.

    Hysteresis, over the places where `strength` is not 0, row by row.
    """
    ridges = np.flatnonzero(strength)
    strong = strength.ravel()[ridges] >= threshold
    if not strong.any():
        return strong
    above = (strength >= LOWER * threshold).astype(np.uint8)
    count, label = cv2.connectedComponents(above, connectivity=8)
    component = label.ravel()[ridges]
    is_edge = np.zeros(count, bool)
    is_edge[component[strong]] = True
    return is_edge[component]


def ridge_strengths(picture: Grey) -> Float[np.ndarray, "h w"]:
    """Slope where it is greatest across the edge, by the steepest in the picture; 0 elsewhere."""
    smooth = cv2.GaussianBlur(np.ascontiguousarray(picture).astype(np.float32), (0, 0), SIGMA)
    across, down = cv2.Sobel(smooth, -1, 1, 0), cv2.Sobel(smooth, -1, 0, 1)
    strength = np.hypot(across, down)
    if strength.max() <= 0:
        return strength
    direction = np.round(np.arctan2(down, across) / (np.pi / 4)).astype(int) % 4
    padded = np.pad(strength, 1)
    height, width = strength.shape
    is_ridge = np.zeros(strength.shape, bool)
    for number, (dx, dy) in enumerate(((1, 0), (1, 1), (0, 1), (-1, 1))):
        ahead = padded[1 + dy : 1 + dy + height, 1 + dx : 1 + dx + width]
        behind = padded[1 - dy : 1 - dy + height, 1 - dx : 1 - dx + width]
        is_ridge |= (direction == number) & (strength >= ahead) & (strength > behind)
    return np.where(is_ridge, strength / strength.max(), 0).astype(np.float32)
