"""The thermal camera: emitted and reflected heat, the air between, a lens, a sensor, a gain.

All radiances are given as the temperature above the air (K) of a black body of equal radiance.
"""

from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
from jaxtyping import Float32

from thermochroma.base.images import ThermalImage
from thermochroma.data.synthetic.camera import Matrix
from thermochroma.data.synthetic.drive import Drive
from thermochroma.data.synthetic.light import Light
from thermochroma.data.synthetic.maps import Maps, Plane
from thermochroma.data.synthetic.sky import SKY_DEPTH_OF_COLD

AIR_RANGE = 900.0  # metres after which 1/e of the contrast remains
FOG_RANGE = 1.7
BLUR = 1.3  # pixels
TEMPORAL_NOISE = 0.08  # K
ROW_NOISE, COLUMN_NOISE, PIXEL_NOISE = 0.05, 0.07, 0.05  # K, fixed throughout a sequence
COLDEST_SHARE, WARMEST_SHARE = 6.0, 99.3  # percentiles that the gain puts at LOW and HIGH
LOW, HIGH = 38.0, 198.0  # grey levels
LEAST_SPAN = 9.0  # K: an empty scene is not stretched until its noise fills the range


@dataclass(frozen=True)
class Gain:
    """Mapping of temperatures to grey levels; one per sequence, so that a wall keeps its grey."""

    low: float  # K above the air
    span: float  # K


def warmth(maps: Maps, drive: Drive, light: Light) -> Plane:
    """The apparent temperature of everything in the scene, K above the air, before the lens."""
    own, emissivity, response, lit = (maps.heat[..., channel] for channel in range(4))
    absorbed = 1 - np.clip(maps.paint[..., :3].mean(axis=-1), 0, 1)
    surface = own + np.float32(light.load) * absorbed * response * lit
    mirrored = np.float32(-0.6 * SKY_DEPTH_OF_COLD[drive.weather])
    apparent = emissivity * surface + (1 - emissivity) * mirrored
    depth = maps.depth
    if drive.foggy:
        depth = np.where(depth == 0, np.float32(1e3), depth)
    left = np.exp(-depth / np.float32(FOG_RANGE if drive.foggy else AIR_RANGE))
    through: Plane = (apparent * left).astype(np.float32)
    return through


def gain_of(apparent: Plane) -> Gain:
    """Choose the gain that suits a typical frame of the sequence."""
    low, high = np.percentile(apparent, [COLDEST_SHARE, WARMEST_SHARE])
    span = max(float(high - low), LEAST_SPAN)
    return Gain(low=float(high + low) / 2 - span / 2, span=span)


def displaced(apparent: Plane, transform: Matrix) -> Plane:
    """Blur and displace the scene as the thermal camera does; `transform`: visible to thermal pixels."""
    size = (apparent.shape[1], apparent.shape[0])
    blurred = cv2.GaussianBlur(apparent, (0, 0), BLUR)
    moved: Plane = cv2.warpAffine(
        blurred, transform, size, flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REFLECT_101
    )
    return moved


def sense(apparent: Plane, gain: Gain, drive: Drive, rng: np.random.Generator) -> ThermalImage:
    """Add the sensor's noise and quantise to 8 bits."""
    noise = np.float32(TEMPORAL_NOISE) * rng.standard_normal(apparent.shape, dtype=np.float32)
    kelvin = apparent + noise + _fixed_pattern(drive.seed, apparent.shape)
    level = LOW + (HIGH - LOW) * (kelvin - gain.low) / gain.span
    image: ThermalImage = np.clip(level + 0.5, 0, 255).astype(np.uint8)
    return image


@lru_cache(maxsize=1)
def _fixed_pattern(seed: int, shape: tuple[int, ...]) -> Float32[np.ndarray, "h w"]:
    rng = np.random.default_rng([seed, 6])
    rows = ROW_NOISE * rng.standard_normal((shape[0], 1))
    columns = COLUMN_NOISE * rng.standard_normal((1, shape[1]))
    pixels = PIXEL_NOISE * rng.standard_normal((shape[0], shape[1]))
    return (rows + columns + pixels).astype(np.float32)
