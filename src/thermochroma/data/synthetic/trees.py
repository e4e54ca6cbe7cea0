"""Trees and hedges: clumps of leaves with gaps, branches, and the colours of the season."""

import cv2
import numpy as np

from thermochroma.data.synthetic.drive import Season
from thermochroma.data.synthetic.easel import Colour, Easel, Metres, Stuff
from thermochroma.data.synthetic.maps import Sheet
from thermochroma.data.synthetic.noise import patch

DENSITY = 22.0  # pixels a metre
LEAVES: dict[Season, tuple[Colour, ...]] = {
    "summer": ((0.085, 0.17, 0.035), (0.06, 0.13, 0.04), (0.12, 0.20, 0.05), (0.05, 0.11, 0.05)),
    "autumn": ((0.42, 0.15, 0.03), (0.52, 0.32, 0.05), (0.33, 0.09, 0.035), (0.30, 0.20, 0.06)),
}
BARK = Stuff((0.10, 0.075, 0.055), own=0.6, response=0.5)
LEAF_EMISSIVITY, LEAF_RESPONSE = 0.97, 0.16  # leaves cool themselves: they stay near the air


def tree(rng: np.random.Generator, season: Season, *, width: Metres, height: Metres) -> Sheet:
    """Draw a tree of `width` by `height` metres; its crown fills the upper two thirds."""
    easel = Easel(width, height, density=DENSITY)
    middle, fork = width / 2, height * 0.42
    easel.stroke([(middle, 0), (middle + 0.05, fork)], 0.05 * height, BARK)
    for _ in range(7):
        tip = (
            middle + float(rng.uniform(-0.26, 0.26)) * width,
            height * float(rng.uniform(0.58, 0.78)),
        )
        easel.stroke([(middle, fork * float(rng.uniform(0.75, 1.1))), tip], 0.016 * height, BARK)
    easel.stain(patch(rng, easel.layers.shape[0], easel.layers.shape[1], 0.6), 0.25)
    crown = _crown(rng, *easel.layers.shape[:2])
    _leaves(easel, rng, crown, LEAVES[season][int(rng.integers(4))])
    return easel.sheet()


def hedge(rng: np.random.Generator, season: Season, *, length: Metres, height: Metres) -> Sheet:
    """Draw a hedge seen from the road; most stay green in autumn."""
    easel = Easel(length, height, density=DENSITY)
    rows, columns = easel.layers.shape[:2]
    ragged = patch(rng, rows, columns, 0.7) * 0.09 + np.linspace(0.0, 1.0, rows)[:, None]
    autumn = rng.random() < 0.3 and season == "autumn"
    colour = (0.20, 0.13, 0.045) if autumn else (0.055, 0.115, 0.035)
    _leaves(easel, rng, (ragged * 4).astype(np.float32), colour)
    return easel.sheet()


def _crown(rng: np.random.Generator, rows: int, columns: int) -> np.ndarray:
    """Depth of each point inside the crown, from about -1 (outside) to 2."""
    inside = np.zeros((rows, columns), np.uint8)
    for _ in range(16):
        angle, reach = rng.uniform(0, 2 * np.pi), np.sqrt(rng.uniform(0, 1))
        x = columns * (0.5 + 0.29 * reach * np.cos(angle))
        y = rows * (0.36 + 0.20 * reach * np.sin(angle))
        radius = columns * rng.uniform(0.11, 0.19)
        cv2.circle(inside, (round(x), round(y)), round(radius), (1,), -1)
    soft = cv2.GaussianBlur(inside.astype(np.float32), (0, 0), columns * 0.035)
    depth: np.ndarray = (soft * 3.4 - 1.55) + 0.75 * patch(rng, rows, columns, 0.75)
    depth[soft < 0.03] = -1  # no leaf hangs in the air
    return depth


def _leaves(easel: Easel, rng: np.random.Generator, depth: np.ndarray, colour: Colour) -> None:
    rows, columns = depth.shape
    where = depth > 0.25
    easel.fill(where, Stuff(colour, 0.0, LEAF_EMISSIVITY, LEAF_RESPONSE))
    clumps = patch(rng, rows, columns, 1.0)
    leaves = patch(rng, rows, columns, 0.35)
    top_light = np.linspace(0.25, -0.3, rows, dtype=np.float32)[:, None]
    shade = np.clip(1 + top_light + 0.30 * clumps + 0.28 * leaves, 0.25, 2.0)
    easel.layers[..., :3] *= np.where(where, shade, 1)[..., None]
    hue = np.clip(1 + 0.12 * patch(rng, rows, columns, 0.9), 0.6, 1.4)
    easel.layers[..., 0] *= np.where(where, hue, 1)
    easel.layers[..., 4] += np.where(where, 0.45 * clumps + 0.3 * leaves, 0)
