"""Flicker of a predicted video: change between frames beyond motion. One value per pair of frames.

Motion is computed from the thermal frames, the input of every method, so that no prediction can hide
its flicker in a flow of its own.
"""

from typing import Final, NamedTuple

import cv2
import numpy as np
from jaxtyping import Bool, Float, UInt8

CONSISTENT: Final = 1.0
"""Greatest distance, in pixels, between a point and its image after the flow there and back."""
LEAST_SHARE: Final = 0.2
"""Least share of consistent pixels in the image; with less, a pair has no value."""

Grey = UInt8[np.ndarray, "h w"]
Flow = Float[np.ndarray, "h w 2"]


class Way(NamedTuple):
    """Motion from the second of two frames back to the first.

    flow: for each pixel of the second, the offset to its place in the first, in pixels across and down.
    seen: whether the flows there and back agree.
    """

    flow: Flow
    seen: Bool[np.ndarray, "h w"]


def flicker(
    before: UInt8[np.ndarray, "h w c"], after: UInt8[np.ndarray, "h w c"], way: Way
) -> float:
    """Mean absolute difference, in levels, of the second image and the first after motion compensation.

    Over the pixels whose flows agree; NaN if these are fewer than a fifth of the image.
    """
    if way.seen.mean() < LEAST_SHARE:
        return float("nan")
    brought = follow(before, way.flow)
    change = np.abs(brought.astype(np.float64) - after.astype(np.float64)).mean(axis=-1)
    return float(change[way.seen].mean())


def backward_flow(before: Grey, after: Grey) -> Way:
    """Motion of two thermal frames by optical flow (DIS, Kroeger et al., ECCV 2016)."""
    engine = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
    there = engine.calc(np.ascontiguousarray(before), np.ascontiguousarray(after), None)
    back = engine.calc(np.ascontiguousarray(after), np.ascontiguousarray(before), None)
    miss = np.linalg.norm(back + follow(there, back), axis=-1)
    x, y = _grid(before.shape[0], before.shape[1], back)
    inside = (x >= 0) & (x <= before.shape[1] - 1) & (y >= 0) & (y <= before.shape[0] - 1)
    return Way(back, inside & (miss <= CONSISTENT))


def follow(
    values: UInt8[np.ndarray, "h w c"] | Float[np.ndarray, "h w c"], way: Flow
) -> UInt8[np.ndarray, "h w c"] | Float[np.ndarray, "h w c"]:
    """Sample `values` at the places that the flow gives, linearly; beyond the border, its nearest pixel."""
    x, y = _grid(values.shape[0], values.shape[1], way)
    moved = cv2.remap(
        np.ascontiguousarray(values), x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )
    return moved.reshape(values.shape)


def _grid(
    height: int, width: int, way: Flow
) -> tuple[Float[np.ndarray, "h w"], Float[np.ndarray, "h w"]]:
    y, x = np.mgrid[:height, :width].astype(np.float32)
    return x + way[..., 0], y + way[..., 1]
