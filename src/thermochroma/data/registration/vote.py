"""One transform per mount: the vote of its frames, if other frames confirm it.

The two cameras of a mount do not move against each other, so every frame estimates the same
transform. The median over frames, unlike the mean, is robust against a few wrong estimates.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

import numpy as np
from jaxtyping import Float64

from thermochroma.contract.dataset import Matrix
from thermochroma.data.registration.geometry import (
    IDENTITY,
    Size,
    corner_distance,
    corner_shifts,
    corners,
    similarity_through,
)
from thermochroma.data.registration.pair_estimate import MAX_SHIFT, WORK_WIDTH, PairEstimate

Level: TypeAlias = Literal["mount", "still", "rig", "identity"]
"""Origin of a transform: a vote of frames, a single frame, a vote of the mounts of one rig, or none
("identity")."""

MAX_SPREAD: Final = 3.0  # pixels at `WORK_WIDTH`
MIN_IMPROVED: Final = 0.6  # of the frames that confirm


@dataclass(frozen=True)
class MountTransform:
    """The transform of one mount and its origin; lengths in raw pixels."""

    mount: str
    matrix: Matrix
    level: Level
    frames: int
    """Number of frames that estimated."""
    accepted: int
    """Number of these frames whose estimate was accepted."""
    spread_px: float
    """Median corner distance of the accepted estimates from their vote; NaN for fewer than two."""
    mean_gain: float
    """Gain of the correlation by `matrix`, mean over confirming frames; 0 for the identity."""
    improved_share: float
    """Share of the confirming frames with a positive gain; 0 for the identity."""
    reason: str
    """Reason why its own frames gave none; "" if they gave one."""


def single(mount: str, estimate: PairEstimate) -> MountTransform:
    """Transform of a mount with one frame: its own estimate, made with the gain for stills."""
    if not estimate.accepted:
        return _identity(mount, [estimate], estimate.reason)
    return MountTransform(
        mount, estimate.matrix, "still", 1, 1, math.nan, estimate.gain, 1.0, reason=""
    )


def vote(
    mount: str,
    estimates: Sequence[PairEstimate],
    size: Size,
    *,
    gains: Callable[[Matrix], Sequence[float]],  # gain by a transform on each confirming frame
) -> MountTransform:
    """Compute the transform on which the frames of a mount agree, or the identity.

    The vote is the similarity through the coordinate-wise median of the corner shifts of the
    accepted estimates. It is valid if
    - enough frames were accepted: of n frames, more than half, but 8 suffice up to n = 26, and 30 %
      from there on (2 of 3, 4 of 6, 8 of 20, 12 of 40);
    - they agree: the median corner distance from the vote is at most 3 pixels at 512 wide;
    - it moves no corner by more than 24 pixels at 512 wide;
    - the confirming frames gain by it on average, and at least 60 % of them gain.
    """
    matrices = [estimate.matrix for estimate in estimates if estimate.accepted]
    needed = accepted_needed(len(estimates))
    if len(matrices) < needed:
        reason = f"{len(matrices)} of {len(estimates)} frames accepted, {needed} needed"
        return _identity(mount, estimates, reason)
    matrix, spread = agreement(matrices, size)
    doubt = doubt_of(matrix, spread, size, who="frames")
    if doubt:
        return _identity(mount, estimates, doubt, spread)
    added = np.asarray(gains(matrix), float)
    doubt = unconfirmed(added)
    if doubt:
        return _identity(mount, estimates, doubt, spread)
    return MountTransform(
        mount=mount,
        matrix=matrix,
        level="mount",
        frames=len(estimates),
        accepted=len(matrices),
        spread_px=spread,
        mean_gain=float(added.mean()),
        improved_share=float(np.mean(added > 0)),
        reason="",
    )


def accepted_needed(frames: int) -> int:
    """Number of accepted frames that a vote needs, out of `frames`."""
    return max(min(8, frames // 2 + 1), math.ceil(0.3 * frames))


def median_transform(matrices: Sequence[Matrix], size: Size) -> Matrix:
    """Similarity through the median position of each corner, each coordinate by itself."""
    shifts = np.median([corner_shifts(matrix, size) for matrix in matrices], axis=0)
    return similarity_through(corners(size), corners(size) + shifts)


def agreement(matrices: Sequence[Matrix], size: Size) -> tuple[Matrix, float]:
    """The median transform, and the median corner distance from it in pixels."""
    matrix = median_transform(matrices, size)
    return matrix, float(np.median([corner_distance(each, matrix, size) for each in matrices]))


def doubt_of(matrix: Matrix, spread: float, size: Size, *, who: str) -> str:
    """Reason why the vote of `who` cannot be trusted; "" if it can."""
    scale = size[0] / WORK_WIDTH
    shift = float(np.linalg.norm(corner_shifts(matrix, size), axis=1).max())
    if spread > MAX_SPREAD * scale:
        return f"the {who} disagree by {spread:.1f} px, {MAX_SPREAD * scale:.1f} allowed"
    if shift > MAX_SHIFT * scale:
        return f"a corner moves by {shift:.1f} px, {MAX_SHIFT * scale:.1f} allowed"
    return ""


def unconfirmed(added: Float64[np.ndarray, " frames"], *, least: float = 0.0) -> str:
    """Reason why the confirming frames do not support a transform; "" if they do.

    added: gain of the correlation on each of them. least: value that the mean must exceed.
    """
    if len(added) == 0:
        return "no confirming frame has enough texture"
    improved = float(np.mean(added > 0))
    if added.mean() <= least or improved < MIN_IMPROVED:
        return (
            f"unconfirmed: mean gain {added.mean():.4f}, more than {least:g} needed; "
            f"{improved:.0%} of frames improve, {MIN_IMPROVED:.0%} needed"
        )
    return ""


def _identity(
    mount: str, estimates: Sequence[PairEstimate], reason: str, spread: float = math.nan
) -> MountTransform:
    accepted = sum(estimate.accepted for estimate in estimates)
    return MountTransform(
        mount, IDENTITY, "identity", len(estimates), accepted, spread, 0.0, 0.0, reason
    )
