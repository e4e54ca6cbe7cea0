"""The transform of one pair: candidates, an independent score, and a threshold for acceptance.

The score is the correlation of oriented-gradient channels, which no candidate maximises directly.
A transform is accepted only if it beats the identity by a stated gain, measured on the same pixels:
so a pair is never made worse.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Final

import cv2
import numpy as np
from jaxtyping import Bool, Float32

from thermochroma.base.images import ThermalImage, VisibleImage
from thermochroma.contract.dataset import Matrix
from thermochroma.data.registration.candidates import by_ecc, by_tiles, refined, size_of
from thermochroma.data.registration.features import (
    Channels,
    Directions,
    Grey,
    channels,
    directions,
    grey,
    halved,
    inner,
    texture,
)
from thermochroma.data.registration.geometry import (
    IDENTITY,
    Size,
    as_similarity,
    corner_shifts,
    covered,
    rescaled,
)
from thermochroma.data.registration.matcher import Matcher, by_matcher

WORK_WIDTH: Final = 512
"""Working width in pixels at which images are registered; limits in pixels refer to it."""
MAX_SHIFT: Final = 24.0  # pixels at the corners
MAX_ROTATION: Final = 4.0  # degrees
SCALES: Final = (0.93, 1.07)
SHARP: Final = (
    1.0  # pixels of blur under the refinement; drawn pairs: 0.12 px of error, 0.17 at 1.5
)
MIN_TEXTURE: Final = 0.03  # least share of pixels on an edge; street scenes have 0.16 and more


@dataclass(frozen=True)
class PairEstimate:
    """Estimate of the transform from one pair."""

    matrix: Matrix
    """The accepted transform; the identity if none was."""
    accepted: bool
    gain: float
    """Difference score - score_identity of the best candidate, accepted or not; 0 without one."""
    score_identity: float
    """The pair's correlation under the identity, from -1 to 1."""
    score: float
    """The correlation under the best candidate, on the same pixels."""
    candidate: str
    """Name of the best candidate: "rigid", "affine", "tiles", "matcher", "" for none."""
    reason: str
    """Reason why nothing was accepted, and the candidates that were excluded; "" if none."""


@dataclass(frozen=True)
class _Features:
    """Features of one image, at the working size and at half of it."""

    grey: Grey
    sharp: Directions
    """Directions under a narrow blur, for the refinement, which starts near the solution."""
    coarse: Float32[np.ndarray, "half_h half_w 3"]
    channels: Float32[np.ndarray, "half_h half_w 6"]


def estimate_pair(
    thermal: ThermalImage,
    visible: VisibleImage,
    *,
    gain_needed: float,  # least gain of the correlation over the identity's
    matcher: Matcher | None = None,  # proposes one more candidate
) -> PairEstimate:
    """Estimate the similarity from visible to thermal pixels of one pair, in raw pixels."""
    size = visible.shape[1], visible.shape[0]
    work = working_size(size)
    greys = grey(thermal, work), grey(visible, work)
    poor = _lacks_texture(*greys)
    if poor:
        return PairEstimate(IDENTITY, False, 0.0, 0.0, 0.0, "", poor)
    warm, seen = (_features(each) for each in greys)
    candidates, fallen = _candidates(warm, seen, matcher)
    found = _best(warm, seen, candidates, fallen, gain_needed)
    if not found.accepted:
        return found
    raw = as_similarity(rescaled(found.matrix, work, size), size)
    return replace(found, matrix=raw)


def score_pair(
    thermal: ThermalImage, visible: VisibleImage, matrix: Matrix
) -> tuple[float, float] | None:
    """The pair's correlation under the identity and under `matrix` (raw pixels), on the same pixels.

    None if an image has too little texture.
    """
    size = visible.shape[1], visible.shape[0]
    greys = grey(thermal, working_size(size)), grey(visible, working_size(size))
    if _lacks_texture(*greys):
        return None
    one, other = (channels(halved(each)) for each in greys)
    at_half = rescaled(matrix, size, size_of(other))
    scores = _scores(one, other, {"": IDENTITY, "given": at_half})
    return scores[""], scores["given"]


def working_size(size: Size) -> Size:
    """Working size: `WORK_WIDTH` wide, and a height that can be halved twice."""
    return WORK_WIDTH, max(1, round(size[1] * WORK_WIDTH / size[0] / 4)) * 4


def plausible(matrix: Matrix, size: Size) -> bool:
    """Whether the transform is possible for two cameras side by side; size in working pixels."""
    shifts = np.linalg.norm(corner_shifts(matrix, size), axis=1)
    scale = float(np.sqrt(abs(np.linalg.det(matrix[:, :2]))))
    turn = float(np.degrees(np.arctan2(matrix[1, 0], matrix[0, 0])))
    limit = MAX_SHIFT * size[0] / WORK_WIDTH
    in_scale = SCALES[0] <= scale <= SCALES[1]
    return bool(shifts.max() <= limit and in_scale and abs(turn) <= MAX_ROTATION)


def _features(image: Grey) -> _Features:
    sharp, coarse = directions(image, blur=SHARP), halved(directions(image))
    return _Features(image, sharp, coarse, channels(halved(image)))


def _best(
    thermal: _Features,
    visible: _Features,
    candidates: Mapping[str, Matrix],
    fallen: str,
    gain_needed: float,
) -> PairEstimate:
    """Refine the best candidate, in working pixels; accept it if it gains enough."""
    small, work = size_of(visible.coarse), size_of(visible.sharp)
    scores = _scores(thermal.channels, visible.channels, {"": IDENTITY, **candidates})
    if not candidates:
        return PairEstimate(IDENTITY, False, 0.0, scores[""], scores[""], "", fallen)
    name = max(candidates, key=lambda each: scores[each])
    chosen = rescaled(candidates[name], small, work)
    finer = refined(thermal.sharp, visible.sharp, chosen)
    if plausible(finer, work):
        rivals = {"": IDENTITY, name: candidates[name], "refined": rescaled(finer, work, small)}
        scores = _scores(thermal.channels, visible.channels, rivals)
        # the score sees half the detail, so a tie goes to the refinement
        if scores["refined"] > scores[name] - 0.002:
            chosen, scores[name] = finer, scores["refined"]
    gain = scores[name] - scores[""]
    accepted = gain >= gain_needed
    refusal = "" if accepted else f"gain {gain:.4f} is below {gain_needed:g}"
    return PairEstimate(
        matrix=chosen if accepted else IDENTITY,
        accepted=accepted,
        gain=gain,
        score_identity=scores[""],
        score=scores[name],
        candidate=name,
        reason="; ".join(filter(None, [refusal, fallen])),
    )


def _candidates(
    thermal: _Features, visible: _Features, matcher: Matcher | None
) -> tuple[dict[str, Matrix], str]:
    """Plausible candidates by name, at half the working size, and the reasons against the others."""
    images = thermal.coarse, visible.coarse
    ways: dict[str, Callable[[], Matrix | None]] = {
        "rigid": partial(by_ecc, *images, cv2.MOTION_EUCLIDEAN),
        "affine": partial(by_ecc, *images, cv2.MOTION_AFFINE),
        "tiles": partial(by_tiles, thermal.channels, visible.channels),
    }
    if matcher is not None:
        ways["matcher"] = partial(_by_matcher, matcher, thermal, visible)
    candidates, fallen = {}, []
    for name, way in ways.items():
        try:
            matrix = way()
        except cv2.error as error:
            if error.code != cv2.Error.StsNoConv:  # anything but "does not converge" is a fault
                raise
            matrix = None
        if matrix is None or not plausible(matrix, size_of(visible.coarse)):
            fallen.append(f"{name} {'found nothing' if matrix is None else 'is implausible'}")
        else:
            candidates[name] = matrix
    return candidates, "; ".join(fallen)


def _by_matcher(matcher: Matcher, thermal: _Features, visible: _Features) -> Matrix | None:
    """Run the matcher at the working size; scale its transform to half of it."""
    found = by_matcher(matcher, thermal.grey, visible.grey)
    if found is None:
        return None
    return rescaled(found, size_of(visible.sharp), size_of(visible.coarse))


def _scores(
    thermal: Channels, visible: Channels, matrices: Mapping[str, Matrix]
) -> dict[str, float]:
    """The correlation under each transform, on the pixels that all of them cover."""
    common = covered(matrices.values(), size_of(visible), margin=4)
    if not common.any():
        return dict.fromkeys(matrices, 0.0)
    here = _centred(visible, common)
    energy = _sum_of_products(here, here)
    scores = {}
    for name, matrix in matrices.items():
        there = _centred(_warped(thermal, matrix), common)
        both = (energy * _sum_of_products(there, there)) ** 0.5
        scores[name] = _sum_of_products(here, there) / both if both > 0 else 0.0
    return scores


def _centred(image: Channels, chosen: Bool[np.ndarray, "h w"]) -> Float32[np.ndarray, "6 pixels"]:
    """Values of the chosen pixels, minus their channel's mean."""
    values = np.ascontiguousarray(image[chosen].T)
    return np.asarray(values - values.mean(axis=1, keepdims=True))


def _sum_of_products(
    one: Float32[np.ndarray, "6 pixels"], other: Float32[np.ndarray, "6 pixels"]
) -> float:
    return float(inner(one, other).sum())


def _warped(thermal: Channels, matrix: Matrix) -> Channels:
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    halves = (np.ascontiguousarray(thermal[..., part]) for part in (slice(0, 3), slice(3, 6)))
    warped = [cv2.warpAffine(half, matrix, size_of(thermal), flags=flags) for half in halves]
    return np.concatenate(warped, axis=-1)


def _lacks_texture(thermal: Grey, visible: Grey) -> str:
    for name, image in (("thermal", thermal), ("visible", visible)):
        share = texture(image)
        if share < MIN_TEXTURE:
            return f"the {name} image has too little texture ({share:.1%} of it on edges)"
    return ""
