"""Less flicker in a translated video: each image is blended with the one before it, along the motion.

Motion is computed from what the translator sees, never from what it gives. Only the last image is kept, so
memory does not grow, and the same video becomes the same images again.
"""

from typing import Final

import numpy as np
from jaxtyping import Float32, UInt8

from thermochroma.metrics.temporal import Way, backward_flow, follow

TOLERATED: Final = 8.0
"""Levels by which a place may have changed, after motion and a shift that all levels share, to count as
the same; beyond twice as many it counts as another one."""

Seen = UInt8[np.ndarray, "h w *c"]
Painted = UInt8[np.ndarray, "h w *d"]


class Steadier:
    """Blends the images of one video, which must come in their order.

    degree: share of the former image, 0 to below 1, where both show the same place.
    """

    def __init__(self, degree: float) -> None:
        self.degree = degree
        self._grey: UInt8[np.ndarray, "h w"] | None = None
        self._steady: Float32[np.ndarray, "h w c"] | None = None

    def __call__(self, seen: Seen, painted: Painted) -> Painted:
        """Give the steadier image of what was `painted` of what was `seen`."""
        grey = seen if seen.ndim == 2 else seen.mean(axis=-1).astype(np.uint8)
        now = np.atleast_3d(painted).astype(np.float32)
        if self._grey is not None and self._steady is not None and self._grey.shape == grey.shape:
            way = backward_flow(self._grey, grey)
            share = self.degree * _sameness(self._grey, grey, way)[..., None]
            now += share * (follow(self._steady, way.flow) - now)
        self._grey, self._steady = grey, now
        return np.rint(now).astype(np.uint8).reshape(painted.shape)


def _sameness(
    before: UInt8[np.ndarray, "h w"], after: UInt8[np.ndarray, "h w"], way: Way
) -> Float32[np.ndarray, "h w"]:
    """Degree from 0 to 1 to which a pixel shows what the former image shows at its place.

    0 where the flows there and back disagree, as behind something that moves, and at a cut.
    """
    if not way.seen.any():
        return np.zeros(after.shape, np.float32)
    change = follow(before[..., None].astype(np.float32), way.flow)[..., 0] - after
    change -= np.median(change[way.seen])  # as when a camera changes its gain
    return way.seen * np.clip(2 - np.abs(change) / TOLERATED, 0, 1).astype(np.float32)
