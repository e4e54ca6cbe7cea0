"""Light of a sequence on surfaces, visible and as a source of heat."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from thermochroma.data.synthetic.drive import Drive
from thermochroma.data.synthetic.easel import Colour

SUN_LOAD = 30.0  # K that a black surface square to a clear sun gains
CLOUD_LOAD = 6.0  # K, from an overcast sky
LAMP_SPACING = 24.0  # metres between street lamps


@dataclass(frozen=True)
class Light:
    """Skylight from everywhere and one directed light (sun by day, headlights by night)."""

    ambient: Colour
    direct: Colour
    load: float  # K
    sun: Float[np.ndarray, " 3"]
    night: bool
    overcast: bool


def light_of(drive: Drive) -> Light:
    """Choose the light of a sequence by time and weather."""
    night, overcast = drive.time == "night", drive.weather == "overcast"
    if night:
        ambient, direct, load = (0.030, 0.034, 0.048), (0.42, 0.37, 0.27), 0.0
    elif overcast:
        ambient, direct, load = (0.60, 0.62, 0.65), (0.0, 0.0, 0.0), CLOUD_LOAD
    else:
        ambient, direct, load = (0.27, 0.32, 0.41), (1.02, 0.95, 0.80), SUN_LOAD
    return Light(ambient, direct, load, drive.sun, night, overcast)


def falls_on(light: Light, normal: Float[np.ndarray, " 3"], x: float, z: float) -> float:
    """The directed light on a surface: from 0 to 1; `x`, `z` in metres from the camera."""
    if light.night:
        return float(headlights(np.float64(x), np.float64(z)))
    if light.overcast:  # the whole sky gives warmth; an upright wall sees half of it
        return float(0.5 + 0.5 * normal[1])
    return float(max(0.0, normal @ light.sun))


def headlights(
    x: Float[np.ndarray, "*s"] | np.float64, z: Float[np.ndarray, "*s"] | np.float64
) -> Float[np.ndarray, "*s"] | np.float64:
    """The light of the own car's headlights at (x, z) metres from the camera: from 0 to 1."""
    cone: Float[np.ndarray, "*s"] = np.exp(-((x / (1.5 + 0.18 * z)) ** 2)) * np.exp(-z / 22)
    return cone
