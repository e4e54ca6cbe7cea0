"""Transforms: 2x3 float64 matrices that map a visible pixel (x, y) to the thermal pixel (x, y).

Pixel centres lie at integers. A size is (width, height), and both images of a frame have it.
"""

from collections.abc import Iterable
from typing import Final, TypeAlias

import numpy as np
from jaxtyping import Bool, Float

from thermochroma.contract.dataset import Matrix

Size: TypeAlias = tuple[int, int]
Points: TypeAlias = Float[np.ndarray, "n 2"]

IDENTITY: Final[Matrix] = np.eye(2, 3)
IDENTITY.setflags(write=False)

CUBIC_MARGIN: Final = 2  # pixels that the cubic kernel reads on each side


def corners(size: Size) -> Points:
    """The centres of the four corner pixels, clockwise from the top left."""
    right, bottom = size[0] - 1.0, size[1] - 1.0
    return np.array([[0.0, 0.0], [right, 0.0], [right, bottom], [0.0, bottom]])


def mapped(matrix: Matrix, points: Points) -> Points:
    """Apply the transform to points."""
    return np.asarray(points @ matrix[:, :2].T + matrix[:, 2])


def corner_shifts(matrix: Matrix, size: Size) -> Points:
    """Shift of each corner by the transform, in pixels."""
    return np.asarray(mapped(matrix, corners(size)) - corners(size))


def corner_distance(one: Matrix, other: Matrix, size: Size) -> float:
    """Mean distance between the corners under two transforms, in pixels."""
    apart = mapped(one, corners(size)) - mapped(other, corners(size))
    return float(np.linalg.norm(apart, axis=1).mean())


def composed(outer: Float[np.ndarray, "_ 3"], inner: Float[np.ndarray, "_ 3"]) -> Matrix:
    """Compose transforms: first `inner`, then `outer`; both 2x3, or 3x3 with the last row 0 0 1."""
    return np.asarray(_square(outer)[:2] @ _square(inner))


def inverse(matrix: Float[np.ndarray, "_ 3"]) -> Matrix:
    """Invert a transform (2x3, or 3x3 with the last row 0 0 1)."""
    return np.asarray(np.linalg.inv(_square(matrix))[:2])


def scaling(source: Size, target: Size) -> Matrix:
    """Map of pixel centres from an image of size `source` to its copy scaled to `target`."""
    x, y = target[0] / source[0], target[1] / source[1]
    return np.array([[x, 0.0, (x - 1) / 2], [0.0, y, (y - 1) / 2]])


def rescaled(matrix: Matrix, source: Size, target: Size) -> Matrix:
    """Adapt a transform to both images being scaled from `source` to `target`."""
    scale = scaling(source, target)
    return composed(scale, composed(matrix, inverse(scale)))


def similarity_through(points: Points, targets: Points) -> Matrix:
    """Fit the least-squares similarity (shift, rotation, scale) that maps `points` to `targets`.

    In complex numbers it is one linear regression: target = a * point + b.
    """
    here, there = points @ [1, 1j], targets @ [1, 1j]
    centred = here - here.mean()
    a = np.vdot(centred, there - there.mean()) / np.vdot(centred, centred)
    b = there.mean() - a * here.mean()
    return np.array([[a.real, -a.imag, b.real], [a.imag, a.real, b.imag]])


def as_similarity(matrix: Matrix, size: Size) -> Matrix:
    """Similarity nearest to the affine `matrix`, by least squares at the corners."""
    return similarity_through(corners(size), mapped(matrix, corners(size)))


def covered(matrices: Iterable[Matrix], size: Size, *, margin: int) -> Bool[np.ndarray, "h w"]:
    """Mask of the visible pixels that all transforms map inside the thermal image by `margin` pixels."""
    x, y = np.arange(size[0])[None, :], np.arange(size[1])[:, None]
    inside = np.ones((size[1], size[0]), bool)
    for matrix in matrices:
        for row, length in zip(matrix, size, strict=True):
            place = row[0] * x + row[1] * y + row[2]
            inside &= (place >= margin) & (place <= length - 1 - margin)
    return inside


def field(matrix: Matrix, size: Size) -> tuple[int, int, int, int]:
    """Window (left, top, right, bottom) of the visible image that the thermal one covers.

    Right and bottom are exclusive. Every pixel inside comes from inside the thermal image, with
    a margin of two pixels for the cubic kernel; the identity needs none, since nothing is
    resampled. The side with the largest overhang is moved inwards by one pixel until none is left:
    for a near-identity the result is the largest window, except for one pixel. All zero if empty.
    """
    if np.array_equal(matrix, IDENTITY):
        return 0, 0, *size
    sides = np.array([0.0, 0.0, size[0] - 1.0, size[1] - 1.0])  # inclusive here
    limits = sides + np.array([1, 1, -1, -1]) * CUBIC_MARGIN
    while sides[2] >= sides[0] and sides[3] >= sides[1]:
        outside = _outside(mapped(matrix, sides[[[0, 1], [2, 1], [2, 3], [0, 3]]]), limits)
        worst = int(outside.argmax())
        if outside[worst] <= 0:
            left, top, right, bottom = (int(side) for side in sides)
            return left, top, right + 1, bottom + 1
        sides[worst] += 1 if worst < 2 else -1
    return 0, 0, 0, 0


def _outside(points: Points, limits: Float[np.ndarray, "4"]) -> Float[np.ndarray, "4"]:
    """Overhang of the points beyond each side of the limits, in pixels; negative inside."""
    return np.concatenate([limits[:2] - points.min(axis=0), points.max(axis=0) - limits[2:]])


def _square(matrix: Float[np.ndarray, "_ 3"]) -> Float[np.ndarray, "3 3"]:
    return np.vstack([matrix[:2], [0.0, 0.0, 1.0]])
