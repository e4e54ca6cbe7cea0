"""The pinhole camera in the car, and the displacement of the thermal camera's image against it.

World coordinates in metres: x to the right of the road's centre line, y above the ground, z ahead
of the camera. Pixel centres lie at integers.
"""

from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float

Points = Float[np.ndarray, "n 3"]
Pixels = Float[np.ndarray, "n 2"]
Matrix = Float[np.ndarray, "2 3"]

WIDTH, HEIGHT = 640, 512
MOST_SHIFT = 6.0  # pixels
MOST_ROTATION = 0.8  # degrees
MOST_ZOOM = 0.015


@dataclass(frozen=True)
class Camera:
    """Position and projection of the camera; lengths in metres, the rest in pixels."""

    x: float = 0.0
    eye: float = 1.6
    travelled: float = 0.0
    width: int = WIDTH
    height: int = HEIGHT
    focal: float = 560.0
    horizon: float = 238.0

    def scaled(self, factor: float) -> "Camera":
        """Scale the number of pixels of each side by `factor`; the field of view stays."""
        return replace(
            self,
            width=round(self.width * factor),
            height=round(self.height * factor),
            focal=self.focal * factor,
            horizon=(self.horizon + 0.5) * factor - 0.5,
        )

    @property
    def centre(self) -> float:
        """The image's middle column."""
        return (self.width - 1) / 2

    def project(self, points: Points) -> Pixels:
        """Project points in front of the camera (z > 0) to pixels (x, y)."""
        scale = self.focal / points[:, 2:]
        return (points[:, :2] - (self.x, self.eye)) * scale * (1, -1) + (self.centre, self.horizon)


def misregistration(rng: np.random.Generator) -> Matrix:
    """A random similarity about the image's centre: visible pixel (x, y) -> thermal pixel (x, y)."""
    shift = rng.uniform(-MOST_SHIFT, MOST_SHIFT, 2)
    while np.hypot(*shift) > MOST_SHIFT:
        shift = rng.uniform(-MOST_SHIFT, MOST_SHIFT, 2)
    angle = np.deg2rad(rng.uniform(-MOST_ROTATION, MOST_ROTATION))
    zoom = 1 + rng.uniform(-MOST_ZOOM, MOST_ZOOM)
    turn = zoom * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    centre = np.array([(WIDTH - 1) / 2, (HEIGHT - 1) / 2])
    return np.column_stack([turn, centre - turn @ centre + shift])
