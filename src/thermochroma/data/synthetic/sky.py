"""The background above the horizon: sky, clouds and the distant skyline."""

import cv2
import numpy as np
from jaxtyping import Float32

from thermochroma.data.synthetic.camera import Camera
from thermochroma.data.synthetic.drive import Drive
from thermochroma.data.synthetic.light import Light
from thermochroma.data.synthetic.maps import BACKDROP, SKY, Maps
from thermochroma.data.synthetic.noise import TILE, tile

SKY_DEPTH_OF_COLD = {"clear": 38.0, "overcast": 14.0}  # K below the air, overhead
ZENITH = {"clear": (0.16, 0.34, 0.70), "overcast": (0.62, 0.65, 0.69)}
RIM = {"clear": (0.66, 0.78, 0.90), "overcast": (0.72, 0.74, 0.76)}
CLOUD = {"clear": (0.97, 0.97, 0.98), "overcast": (0.84, 0.85, 0.86)}
NIGHT_SHARE = 0.012  # of the daylight
FOREST = {"summer": (0.06, 0.10, 0.04), "autumn": (0.19, 0.12, 0.04)}
CITY = (0.30, 0.29, 0.28)
SKYLINE_DISTANCE = 420.0  # metres


def hang_sky(maps: Maps, camera: Camera, drive: Drive, light: Light) -> None:
    """Paint the sky down to the horizon.

    A luminous pixel gets the albedo that would look the same under skylight alone.
    """
    bottom = int(np.ceil(camera.horizon + 1))
    rows = np.float32(camera.horizon) - np.arange(bottom, dtype=np.float32)
    elevation = np.maximum(rows / np.float32(camera.focal), 0)[:, None]  # tangent
    clouds = _clouds(camera, drive, elevation)
    height = np.minimum(elevation / 0.42, 1) ** 0.6
    weather = drive.weather
    dim = NIGHT_SHARE if light.night else 1.0
    for channel in range(3):
        rim, zenith = RIM[weather][channel], ZENITH[weather][channel]
        blue = rim + height * np.float32(zenith - rim)
        colour = blue + clouds * (np.float32(CLOUD[weather][channel]) - blue)
        maps.paint[:bottom, :, channel] = colour * np.float32(dim / light.ambient[channel])
    maps.paint[:bottom, :, 3] = 0
    cold = SKY_DEPTH_OF_COLD[weather]
    maps.heat[:bottom, :, 0] = -cold * (0.35 + 0.65 * height) * (1 - 0.45 * clouds)
    maps.heat[:bottom, :, 1] = 1
    maps.heat[:bottom, :, 2:] = 0
    maps.instance[:bottom] = SKY


def _clouds(
    camera: Camera, drive: Drive, elevation: Float32[np.ndarray, "h 1"]
) -> Float32[np.ndarray, "h w"]:
    """Clouds, from 0 to 1: noise on a flat ceiling, in perspective, flatter towards the horizon."""
    rng = np.random.default_rng([drive.seed, 2])
    shift = rng.uniform(0, TILE, 2).astype(np.float32)
    across = np.arange(camera.width, dtype=np.float32)[None, :] - np.float32(camera.centre)
    distance = 1 / (elevation + np.float32(0.22))
    column = across / np.float32(camera.focal) * distance * 42 + shift[0]
    row = np.broadcast_to(distance * 60 + shift[1], column.shape)
    if drive.weather == "overcast":
        amount, softness = 0.1, 1.6
    else:
        amount, softness = float(rng.uniform(-1.3, -0.2)), 0.9
    where = (column, np.ascontiguousarray(row, np.float32))
    noise = cv2.remap(tile(0, 1.5), *where, cv2.INTER_LINEAR, borderMode=cv2.BORDER_WRAP)
    clouds: Float32[np.ndarray, "h w"] = np.clip((noise + amount) / softness, 0, 1)
    return clouds


def raise_skyline(maps: Maps, camera: Camera, drive: Drive) -> None:
    """Paint distant hills and blocks of houses over the lowest sky."""
    rng = np.random.default_rng([drive.seed, 3])
    metres = np.arange(camera.width, dtype=np.float32) - np.float32(camera.centre)
    metres *= np.float32(SKYLINE_DISTANCE / camera.focal)
    hills = _outline(metres, rng, step=14.0, smooth=True) * (
        26 if drive.place != "downtown" else 14
    )
    blocks = _outline(metres, rng, step=26.0, smooth=False) * (
        44 if drive.place != "campus" else 20
    )
    for heights, colour, warmth in ((hills, FOREST[drive.season], 0.6), (blocks, CITY, 2.0)):
        pixels = heights * np.float32(camera.focal / SKYLINE_DISTANCE)
        rows = np.arange(camera.height, dtype=np.float32)[:, None]
        band = slice(max(0, int(camera.horizon - pixels.max())), int(np.ceil(camera.horizon + 1)))
        where = rows[band] > camera.horizon - pixels[None, :]
        maps.paint[band][where] = (*colour, 0.35)
        maps.heat[band][where] = (warmth, 0.95, 0.2, 0.4)
        maps.depth[band][where] = SKYLINE_DISTANCE
        maps.instance[band][where] = BACKDROP


def _outline(
    metres: Float32[np.ndarray, " w"], rng: np.random.Generator, *, step: float, smooth: bool
) -> Float32[np.ndarray, " w"]:
    """Heights from 0 to 1 along the skyline: rounded, or in steps with gaps."""
    knots = rng.uniform(0, 1, 64)
    at = metres / step + 32
    if smooth:
        return np.interp(at, np.arange(64), knots).astype(np.float32)
    stepped: Float32[np.ndarray, " w"] = np.where(knots < 0.45, 0.0, knots)[
        np.clip(at.astype(int), 0, 63)
    ].astype(np.float32)
    return stepped
