"""Drawing a sheet in metres: boxes, discs, strokes and polygons of a material."""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Bool, Float32

from thermochroma.data.synthetic.maps import Layers, Sheet

Colour = tuple[float, float, float]
Metres = float | int


@dataclass(frozen=True)
class Stuff:
    """A material.

    albedo: linear red, green, blue in [0, 1] (more for lights at night). own: warmth without
    sun, K above air. emissivity: in [0, 1]; the rest mirrors the sky. response: heating by the sun,
    1 = like asphalt.
    """

    albedo: Colour
    own: float = 0.0
    emissivity: float = 0.95
    response: float = 0.6


class Easel:
    """A sheet in the making, `width` by `height` metres; y counts upwards from the lower edge."""

    def __init__(self, width: Metres, height: Metres, *, density: Metres) -> None:
        """Start an empty sheet. density: pixels per metre."""
        self.width, self.height, self.density = width, height, density
        shape = (max(2, round(height * density)), max(2, round(width * density)), 8)
        self.layers: Layers = np.zeros(shape, np.float32)

    def box(self, left: Metres, bottom: Metres, right: Metres, top: Metres, stuff: Stuff) -> None:
        """Fill a rectangle, at least one pixel wide and high; all sides in metres."""
        rows, columns = self.layers.shape[:2]
        first, last = (
            round((self.height - top) * self.density),
            round((self.height - bottom) * self.density),
        )
        start, stop = round(left * self.density), round(right * self.density)
        first, start = min(max(first, 0), rows - 1), min(max(start, 0), columns - 1)
        self.layers[first : max(last, first + 1), start : max(stop, start + 1)] = _values(stuff)

    def polygon(self, points: Sequence[tuple[Metres, Metres]], stuff: Stuff) -> None:
        """Fill a polygon."""
        mask = self._mask()
        cv2.fillPoly(mask, [self._pixels(points)], (1,))
        self.fill(mask > 0, stuff)

    def disc(self, x: Metres, y: Metres, across: Metres, upright: Metres, stuff: Stuff) -> None:
        """Fill an ellipse about (x, y) with the half axes `across` and `upright`; metres."""
        mask = self._mask()
        centre = self._pixels([(x, y)])[0]
        axes = (max(1, round(across * self.density)), max(1, round(upright * self.density)))
        cv2.ellipse(mask, (int(centre[0]), int(centre[1])), axes, 0, 0, 360, (1,), -1)
        self.fill(mask > 0, stuff)

    def stroke(self, points: Sequence[tuple[Metres, Metres]], width: Metres, stuff: Stuff) -> None:
        """Draw a line through the points; points and width in metres."""
        mask = self._mask()
        thickness = max(1, round(width * self.density))
        cv2.polylines(mask, [self._pixels(points)], False, (1,), thickness)
        self.fill(mask > 0, stuff)

    def fill(self, where: Bool[np.ndarray, "h w"], stuff: Stuff) -> None:
        """Fill a mask."""
        self.layers[where] = _values(stuff)

    def stain(self, texture: Float32[np.ndarray, "h w"], strength: float) -> None:
        """Vary the albedo by a texture of deviation 1."""
        self.layers[..., :3] *= np.clip(1 + strength * texture, 0.2, 1.8)[..., None]

    def warm(self, texture: Float32[np.ndarray, "h w"], kelvin: float) -> None:
        """Vary the warmth by a texture of deviation 1."""
        self.layers[..., 4] += kelvin * texture

    def sheet(self) -> Sheet:
        """The finished sheet."""
        return Sheet(self.layers)

    def _mask(self) -> np.ndarray:
        return np.zeros(self.layers.shape[:2], np.uint8)

    def _pixels(self, points: Sequence[tuple[Metres, Metres]]) -> np.ndarray:
        corners = [(x * self.density, (self.height - y) * self.density) for x, y in points]
        return np.round(np.array(corners) - 0.5).astype(np.int32)


def _values(stuff: Stuff) -> Float32[np.ndarray, " 8"]:
    values = (*stuff.albedo, 1.0, stuff.own, stuff.emissivity, stuff.response, 1.0)
    return np.array(values, np.float32)
