"""How a predicted video flickers: what changes between frames beyond what moved. One value a pair.

Motion is read off the thermal frames, which every method saw, so that no prediction can hide its own
flicker in a flow of its own.
"""

from typing import Final, NamedTuple

import cv2
import numpy as np
from jaxtyping import Bool, Float, UInt8

CONSISTENT: Final = 1.0
"""Pixels: how far the way there and back may miss a point before it is left out."""
LEAST_SHARE: Final = 0.2
"""Of the image, below which a pair has no reading: there is nothing to follow."""

Grey = UInt8[np.ndarray, "h w"]
Flow = Float[np.ndarray, "h w 2"]


class Way(NamedTuple):
    """From the second of two frames back to the first.

    flow: where each pixel was, in pixels across and down from where it is. seen: whether the way there
    and back agree.
    """

    flow: Flow
    seen: Bool[np.ndarray, "h w"]


def flicker(
    before: UInt8[np.ndarray, "h w c"], after: UInt8[np.ndarray, "h w c"], way: Way
) -> float:
    """Mean absolute difference, in levels, of the second image and the first brought to its place.

    Over pixels that the way has seen in both; NaN where fewer than a fifth are.
    """
    if way.seen.mean() < LEAST_SHARE:
        return float("nan")
    brought = follow(before, way.flow)
    change = np.abs(brought.astype(np.float64) - after.astype(np.float64)).mean(axis=-1)
    return float(change[way.seen].mean())


def backward_flow(before: Grey, after: Grey) -> Way:
    """By the flow of two thermal frames (DIS, Kroeger et al., ECCV 2016)."""
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
    """`values` read where the flow points to, linearly; beyond the border its nearest pixel."""
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
