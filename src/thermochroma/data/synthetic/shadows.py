"""The shadows of all props on the ground, as a plan seen from above."""

from collections.abc import Sequence
from functools import lru_cache

import cv2
import numpy as np
from jaxtyping import Float

from thermochroma.data.synthetic.ground import (
    SHADOW_CELL,
    SHADOW_HALF_SPAN,
    Shadow,
    Shadows,
    no_shadows,
)
from thermochroma.data.synthetic.light import Light
from thermochroma.data.synthetic.props import Prop, Shade

LAG = np.deg2rad(7.0)  # the sun's bearing half an hour earlier
KEPT = 0.75  # share of a shadow's coolness in the thermal image: heat flows in from the side


def shadows_of(placed: Sequence[tuple[Prop, float, float]], light: Light) -> Shadows:
    """Draw the shadows of `placed` props (prop, x from the centre line, z from the camera; metres).

    Moving props cast a visible shadow only: the ground has no time to cool.
    """
    if light.night or light.overcast:
        return no_shadows()
    resting = [one for one in placed if one[0].forward == 0 and one[0].sideways == 0]
    seen = _plan(placed, light.sun)
    felt = _plan(resting, _earlier(light.sun))
    return Shadows(
        seen=cv2.GaussianBlur(seen, (0, 0), 0.8), felt=KEPT * cv2.GaussianBlur(felt, (0, 0), 3)
    )


def _earlier(sun: Float[np.ndarray, " 3"]) -> Float[np.ndarray, " 3"]:
    right, up, ahead = sun
    cos, sin = np.cos(LAG), np.sin(LAG)
    return np.array([cos * right - sin * ahead, up, sin * right + cos * ahead])


def _plan(placed: Sequence[tuple[Prop, float, float]], sun: Float[np.ndarray, " 3"]) -> Shadow:
    plan = no_shadows().seen.copy()
    away = (float(-sun[0] / sun[1]), float(-sun[2] / sun[1]))
    for prop, x, z in placed:
        if prop.shade is not None:
            cells = (_outline(prop.shade, away) + np.array([x + SHADOW_HALF_SPAN, z])) / SHADOW_CELL
            cv2.fillConvexPoly(plan, np.rint(cells).astype(np.int32), (1 - prop.shade.openness,))
    return plan


@lru_cache(maxsize=4096)
def _outline(shade: Shade, away: tuple[float, float]) -> Float[np.ndarray, "n 2"]:
    """The convex shadow around the prop; `away`: metres of shadow per metre of height."""
    direction = np.array(away)
    points = _round(shade, direction) if shade.round else _box(shade, direction)
    hull: Float[np.ndarray, "n 2"] = cv2.convexHull(points.astype(np.float32))[:, 0]
    return hull


def _box(shade: Shade, away: Float[np.ndarray, " 2"]) -> Float[np.ndarray, "n 2"]:
    half, length = shade.half_width, shade.length
    base = np.array([[-half, 0], [half, 0], [half, length], [-half, length]])
    return np.concatenate([base + away * shade.bottom, base + away * shade.top])


def _round(shade: Shade, away: Float[np.ndarray, " 2"]) -> Float[np.ndarray, "n 2"]:
    angles = np.linspace(0, 2 * np.pi, 16, endpoint=False)
    ring = shade.half_width * np.stack([np.cos(angles), np.sin(angles)], axis=1)
    low, high = shade.bottom + 0.3 * shade.half_width, shade.top - 0.4 * shade.half_width
    return np.concatenate([ring + away * low, ring + away * high])
