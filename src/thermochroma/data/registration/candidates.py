"""Candidates for the transform of one pair, from different methods; `pair_estimate` scores them.

All work on features of two images of one size and return a similarity, visible to thermal pixels.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Bool, Float, Float32

from thermochroma.contract.dataset import Matrix
from thermochroma.data.registration.features import Channels, Directions, differences, halved, inner
from thermochroma.data.registration.geometry import (
    IDENTITY,
    Points,
    Size,
    as_similarity,
    composed,
    covered,
    inverse,
    mapped,
    rescaled,
    similarity_through,
)

TILE, STEP, REACH = 40, 28, 12
"""Side and spacing of the matched tiles, and radius of the search; pixels at a width of 256."""
MIN_AGREEING = 6
"""Least number of points that must agree: fewer could agree by chance."""
STRONG_SHARE = 0.3
"""Share of the pixels that the refinement uses: those on the strongest edges."""


def size_of(image: Directions | Channels) -> Size:
    """Width and height in pixels."""
    return image.shape[1], image.shape[0]


def by_ecc(thermal: Directions, visible: Directions, motion: int) -> Matrix:
    """Maximise the enhanced correlation coefficient (Evangelidis and Psarakis 2008), coarse to fine.

    motion: cv2.MOTION_EUCLIDEAN or cv2.MOTION_AFFINE, whose result is projected to a similarity.
    Raises cv2.error if the iteration diverges.
    """
    small = _ecc(halved(thermal), halved(visible), motion, IDENTITY, rounds=60)
    start = rescaled(small, size_of(halved(visible)), size_of(visible))
    return as_similarity(_ecc(thermal, visible, motion, start, rounds=40), size_of(visible))


def _ecc(
    thermal: Directions, visible: Directions, motion: int, start: Matrix, *, rounds: int
) -> Matrix:
    stop = (cv2.TERM_CRITERIA_COUNT | cv2.TERM_CRITERIA_EPS, rounds, 1e-4)
    begin = start.astype(np.float32)
    _, found = cv2.findTransformECC(visible, thermal, begin, motion, stop, None, 5)
    return np.asarray(found, np.float64)


def by_tiles(thermal: Channels, visible: Channels) -> Matrix | None:
    """Match tiles of the visible image in the thermal one; fit a similarity to those that agree.

    None if fewer than six tiles agree to 1.5 pixels.
    """
    return agreed(*_matched_tiles(thermal, visible), within=1.5)


def agreed(here: Points, there: Points, *, within: float) -> Matrix | None:
    """Fit the similarity from `here` to `there` on which most points agree, to `within` pixels.

    None if fewer than six agree.
    """
    if len(here) < MIN_AGREEING:
        return None
    _, agrees = cv2.estimateAffinePartial2D(  # draws its samples from a generator of fixed seed
        here, there, method=cv2.RANSAC, ransacReprojThreshold=within, confidence=0.995
    )
    good = agrees.ravel().astype(bool)
    return similarity_through(here[good], there[good]) if good.sum() >= MIN_AGREEING else None


def _matched_tiles(thermal: Channels, visible: Channels) -> tuple[Points, Points]:
    """Tile centres in the visible image, and the best match of each in the thermal one."""
    width, height = size_of(visible)
    here, there = [], []
    for top in range(REACH, height - TILE - REACH + 1, STEP):
        for left in range(REACH, width - TILE - REACH + 1, STEP):
            shift = _tile_shift(thermal, visible, left, top)
            if shift is not None:
                here.append((left + (TILE - 1) / 2, top + (TILE - 1) / 2))
                there.append((here[-1][0] + shift[0], here[-1][1] + shift[1]))
    return np.array(here).reshape(-1, 2), np.array(there).reshape(-1, 2)


def _tile_shift(
    thermal: Channels, visible: Channels, left: int, top: int
) -> tuple[float, float] | None:
    """The best shift of one tile, to a fraction of a pixel; None if it lies on the search limit."""
    tile = visible[top : top + TILE, left : left + TILE]
    area = thermal[top - REACH : top + TILE + REACH, left - REACH : left + TILE + REACH]
    fit = sum(  # matchTemplate takes at most four channels
        cv2.matchTemplate(
            np.ascontiguousarray(area[..., part]),
            np.ascontiguousarray(tile[..., part]),
            cv2.TM_CCORR,
        )
        for part in (slice(0, 3), slice(3, 6))
    )
    y, x = np.unravel_index(np.argmax(fit), np.shape(fit))
    if not (0 < x < 2 * REACH and 0 < y < 2 * REACH):
        return None
    across, down = fit[y, x - 1 : x + 2], fit[y - 1 : y + 2, x]
    return x - REACH + _peak_offset(across), y - REACH + _peak_offset(down)


def _peak_offset(values: Float32[np.ndarray, "3"]) -> float:
    """Position of the maximum of the parabola through three neighbouring values, from -0.5 to 0.5."""
    before, peak, after = values.tolist()
    bend = 2 * peak - before - after
    return (after - before) / (2 * bend) if bend > 0 else 0.0


@dataclass(frozen=True)
class _Template:
    """Data of the visible image that every step of the refinement uses."""

    points: Points
    """The pixels in use."""
    slopes: Float32[np.ndarray, "4 values"]
    """Derivatives of their values with respect to scale, rotation and the two shifts."""
    values: Float32[np.ndarray, " values"]
    """Values of these pixels, each channel centred."""
    unit: float
    """Distance from the centre, in pixels, at which scale and rotation are measured."""
    centre: Float[np.ndarray, "2"]


def refined(thermal: Directions, visible: Directions, start: Matrix) -> Matrix:
    """Refine a similarity from `start` by Gauss-Newton, until a step moves less than 0.02 pixels.

    The inverse compositional scheme (Baker and Matthews 2004): the visible image's slopes serve
    every step, and only pixels on strong edges are used. Returns `start` where the images have too
    little structure.
    """
    template = _template(visible, _strong_pixels(visible, start))
    curvature = np.array([inner(template.slopes, slope) for slope in template.slopes])
    energy = float(inner(template.values, template.values))
    if np.linalg.matrix_rank(curvature) < 4:
        return start
    matrix = start
    for _ in range(8):
        seen = _sampled(thermal, mapped(matrix, template.points))
        likeness = float(inner(seen, template.values)) / energy
        if likeness <= 0:
            return start
        error = seen / likeness - template.values
        step = np.linalg.solve(curvature, inner(template.slopes, error))
        matrix = composed(matrix, inverse(_small_similarity(step, template)))
        if np.abs(step).max() < 0.02:
            break
    return matrix


def _strong_pixels(visible: Directions, start: Matrix) -> Bool[np.ndarray, "h w"]:
    """Mask of the strongest edges among the pixels that `start` maps well inside the thermal image."""
    along_x, along_y = differences(visible)
    energy = np.einsum("hwc,hwc->hw", along_x, along_x) + np.einsum("hwc,hwc->hw", along_y, along_y)
    inside = covered([start], size_of(visible), margin=8)
    if not inside.any():
        return inside
    return np.asarray(inside & (energy >= np.quantile(energy[inside], 1 - STRONG_SHARE)))


def _template(visible: Directions, chosen: Bool[np.ndarray, "h w"]) -> _Template:
    along_x, along_y = (part[chosen] for part in differences(visible))
    y, x = np.nonzero(chosen)
    unit, centre = float(visible.shape[1]), (np.array(size_of(visible)) - 1) / 2
    right, down = ((along - middle) / unit for along, middle in zip((x, y), centre, strict=True))
    right, down = right[:, None].astype(np.float32), down[:, None].astype(np.float32)
    growing, turning = along_x * right + along_y * down, along_y * right - along_x * down
    return _Template(
        points=np.stack([x, y], axis=1).astype(np.float64),
        slopes=np.stack([growing, turning, along_x, along_y]).reshape(4, -1),
        values=_centred(visible[chosen]),
        unit=unit,
        centre=centre,
    )


def _small_similarity(step: Float[np.ndarray, "4"], template: _Template) -> Matrix:
    """The similarity of one step: scale and rotation about the centre, then the shift."""
    scale, turn = step[:2] / template.unit
    linear = np.array([[1 + scale, -turn], [turn, 1 + scale]])
    shift = template.centre - linear @ template.centre + step[2:]
    return np.column_stack([linear, shift])


def _sampled(image: Directions, points: Points) -> Float32[np.ndarray, " values"]:
    """Interpolate the image linearly at the points, each channel centred."""
    chunks = np.array_split(points.astype(np.float32), len(points) // 30_000 + 1)
    parts = [  # in chunks: OpenCV counts the rows of a map with 15 bits
        cv2.remap(image, part, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        for part in (chunk[:, None] for chunk in chunks)
    ]
    return _centred(np.concatenate(parts).reshape(-1, 3))


def _centred(values: Float32[np.ndarray, "n 3"]) -> Float32[np.ndarray, " values"]:
    return np.asarray((values - values.mean(axis=0)).ravel())
