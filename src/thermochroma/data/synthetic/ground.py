"""The ground: a cross-section of the street, extended along it, with texture and shadows.

All points of one image row lie at one distance, so a row of ground is one cross-section
(plain, with lane dashes, or with a zebra crossing), blurred according to the distance.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import cv2
import numpy as np
from jaxtyping import Float, Float32

from thermochroma.data.synthetic.camera import Camera
from thermochroma.data.synthetic.drive import Drive
from thermochroma.data.synthetic.light import LAMP_SPACING, Light, headlights
from thermochroma.data.synthetic.maps import GROUND, Maps
from thermochroma.data.synthetic.noise import tiles

HALF_SPAN = 22.0  # metres of cross-section on each side of the centre line
CELL = 0.05  # metres
BLURS = 7  # levels, each twice as wide as the one before
FARTHEST_TEXTURE = 300.0  # metres
DASH, DASH_PERIOD = 3.0, 8.0  # metres
ZEBRA, ZEBRA_PERIOD = 3.2, 80.0
SHADOW_CELL = 0.125  # metres
SHADOW_HALF_SPAN, SHADOW_REACH = 24.0, 96.0

Profile = Float32[np.ndarray, "cells 8"]
Shadow = Float32[np.ndarray, "768 384"]


@dataclass(frozen=True)
class Shadows:
    """Shadows on the ground, seen from above: 1 = in shadow. Rows go ahead, columns to the right."""

    seen: Shadow
    felt: Shadow  # for heat: the ground cools and warms slowly, so shadows lag behind


def cross_sections(drive: Drive) -> Float32[np.ndarray, "3 blurs cells 8"]:
    """Make the plain, dashed and zebra cross-sections at all blurs.

    Channels as in `maps.Layers`, but the two covers hold the strength of texture, visible and thermal.
    """
    plain = _plain(drive)
    dashed, zebra = plain.copy(), plain.copy()
    street, lane = drive.street, drive.street.half_width / drive.street.lanes
    for number in range(1, street.lanes):
        for side in (-1, 1):
            _band(dashed, side * number * lane, 0.15, PAINT_WHITE)
    for x in np.arange(-street.half_width + 0.8, street.half_width - 0.5, 1.1):
        _band(zebra, float(x), 0.55, PAINT_WHITE)
    return np.stack([_blurred(section) for section in (plain, dashed, zebra)])


def lay_ground(
    maps: Maps,
    camera: Camera,
    drive: Drive,
    light: Light,
    sections: Float32[np.ndarray, "3 blurs cells 8"],
    shadows: Shadows,
) -> None:
    """Paint everything below the horizon."""
    top = int(np.ceil(camera.horizon + 1))
    rows = np.arange(top, camera.height, dtype=np.float32)
    z = camera.focal * camera.eye / (rows - np.float32(camera.horizon))
    columns = np.arange(camera.width, dtype=np.float32) - np.float32(camera.centre)
    x = np.outer(z / np.float32(camera.focal), columns) + np.float32(camera.x)
    layers = _materials(sections, camera, rows, z, x)
    _texture(layers, x, z, camera.travelled, drive.seed)
    seen, felt = _lit(camera, light, x, z, shadows)
    maps.paint[top:, :, :3], maps.paint[top:, :, 3] = layers[..., :3], seen
    maps.heat[top:, :, :3], maps.heat[top:, :, 3] = layers[..., 4:7], felt
    maps.depth[top:] = z[:, None]
    maps.instance[top:] = GROUND


# red, green, blue, texture; own warmth, emissivity, sun response, texture (K)
ASPHALT = (0.115, 0.115, 0.12, 0.16, 1.0, 0.95, 1.0, 0.5)
WHEEL_TRACK = (0.104, 0.104, 0.109, 0.12, 1.9, 0.95, 1.0, 0.4)
GUTTER = (0.16, 0.155, 0.15, 0.2, 0.3, 0.93, 0.85, 0.5)
KERB = (0.42, 0.41, 0.39, 0.1, -0.8, 0.92, 0.55, 0.3)
PAINT_WHITE = (0.66, 0.66, 0.64, 0.12, 0.2, 0.92, 1.1, 0.3)
PAINT_YELLOW = (0.68, 0.44, 0.06, 0.12, 0.2, 0.92, 1.1, 0.3)
TILES = ((0.31, 0.19, 0.15), (0.33, 0.32, 0.30), (0.27, 0.27, 0.29), (0.38, 0.30, 0.22))
BLIND_STRIP = (0.62, 0.47, 0.08, 0.1, 0.0, 0.94, 0.7, 0.2)
GRASS = {"summer": (0.075, 0.15, 0.035), "autumn": (0.20, 0.17, 0.06)}


def _plain(drive: Drive) -> Profile:
    rng = np.random.default_rng([drive.seed, 1])
    street = drive.street
    half = street.half_width
    profile = np.zeros((round(2 * HALF_SPAN / CELL), 8), np.float32)
    profile[:] = (*GRASS[drive.season], 0.45, 0.0, 0.97, 0.30, 0.9)
    tile_colour = TILES[int(rng.integers(len(TILES)))]
    flags = (*tile_colour, 0.18, 0.4, 0.93, 0.72, 0.7)
    for side in (-1, 1):
        reach = 14.0 if drive.place == "downtown" else street.pavement
        _band(profile, side * (half + reach / 2), reach, flags)
        if rng.random() < 0.6:  # tactile paving: a colour that the thermal image does not show
            _band(profile, side * (half + street.pavement * 0.6), 0.3, BLIND_STRIP)
        _band(profile, side * (half + 0.12), 0.28, KERB)
    _band(profile, 0.0, 2 * half, ASPHALT)
    _wheel_tracks(profile, drive)
    for side in (-1, 1):
        _band(profile, side * (half - 0.2), 0.4, GUTTER)
        _band(profile, side * (half - 0.55), 0.14, PAINT_WHITE)
        _band(profile, side * 0.16, 0.13, PAINT_YELLOW)
    return profile


def _wheel_tracks(profile: Profile, drive: Drive) -> None:
    lane = drive.street.half_width / drive.street.lanes
    for number in range(drive.street.lanes):
        for side in (-1, 1):
            for wheel in (-0.8, 0.8):
                _band(profile, side * (number + 0.5) * lane + wheel, 0.55, WHEEL_TRACK)


def _band(profile: Profile, middle: float, width: float, values: Sequence[float]) -> None:
    start = round((middle - width / 2 + HALF_SPAN) / CELL)
    profile[max(start, 0) : max(start + round(width / CELL), 0)] = values


def _blurred(profile: Profile) -> Float32[np.ndarray, "blurs cells 8"]:
    levels = [profile]
    for level in range(1, BLURS):
        levels.append(cv2.blur(profile, (1, 2**level), borderType=cv2.BORDER_REPLICATE))
    return np.stack(levels)


def _materials(
    sections: Float32[np.ndarray, "3 blurs cells 8"],
    camera: Camera,
    rows: Float32[np.ndarray, " h"],
    z: Float32[np.ndarray, " h"],
    x: Float32[np.ndarray, "h w"],
) -> Float32[np.ndarray, "h w 8"]:
    level = (
        np.clip(np.log2(np.maximum(z / camera.focal / CELL, 1)), 0, BLURS - 1).round().astype(int)
    )
    far = z + z**2 / (camera.focal * camera.eye)  # where the next row begins
    row_profiles = sections[0][level]
    for section, length, period in ((1, DASH, DASH_PERIOD), (2, ZEBRA, ZEBRA_PERIOD)):
        share = _share(z, far, camera.travelled, length, period)
        marked = share > 0
        marks = sections[section][level[marked]]
        row_profiles[marked] += share[marked, None, None] * (marks - row_profiles[marked])
    column = (x + np.float32(HALF_SPAN)) / np.float32(CELL) - np.float32(0.5)
    row = np.broadcast_to((rows - rows[0])[:, None], x.shape).astype(np.float32)
    halves = [
        cv2.remap(
            np.ascontiguousarray(row_profiles[..., part]),
            column,
            row,
            cv2.INTER_LINEAR,
            borderMode=cv2.BORDER_REPLICATE,
        )
        for part in (slice(0, 4), slice(4, 8))
    ]
    return np.concatenate(halves, axis=-1)


def _share(
    near: Float32[np.ndarray, " h"],
    far: Float32[np.ndarray, " h"],
    travelled: float,
    length: float,
    period: float,
) -> Float32[np.ndarray, " h"]:
    """Share of each row's stretch of road that lies on marks of `length` repeated every `period`."""

    def marked(z: Float[np.ndarray, " h"]) -> Float[np.ndarray, " h"]:
        whole, rest = np.divmod(z, period)
        return whole * length + np.minimum(rest, length)

    stretch = marked(far.astype(float) + travelled) - marked(near.astype(float) + travelled)
    share: Float32[np.ndarray, " h"] = (stretch / (far - near)).astype(np.float32)
    return share


def _texture(
    layers: Float32[np.ndarray, "h w 8"],
    x: Float32[np.ndarray, "h w"],
    z: Float32[np.ndarray, " h"],
    travelled: float,
    seed: int,
) -> None:
    """Add gravel and stains, fixed to the road; they partly differ between visible and thermal."""
    offset = np.float32(seed % 997)
    level = np.minimum(z, FARTHEST_TEXTURE) + np.float32(travelled)
    along = np.broadcast_to(level[:, None], x.shape)
    fine = _sample(0.3, x * 25 + offset, along * 25)
    stains = _sample(1.2, x * 6 + offset, along * 3)
    near = np.exp(-z / 14)[:, None]
    strength, kelvin = layers[..., 3], layers[..., 7]
    seen = 1 + strength * (0.7 * near * fine[..., 0] + 0.6 * stains[..., 0])
    layers[..., :3] *= np.clip(seen, 0.3, 1.9)[..., None]
    layers[..., 4] += kelvin * (0.5 * near * fine[..., 1] + 0.8 * stains[..., 1])


def _sample(
    roughness: float, column: Float32[np.ndarray, "h w"], row: Float32[np.ndarray, "h w"]
) -> Float32[np.ndarray, "h w 2"]:
    sampled: Float32[np.ndarray, "h w 2"] = cv2.remap(
        tiles(roughness), column, row, cv2.INTER_LINEAR, borderMode=cv2.BORDER_WRAP
    )
    return sampled


def _lit(
    camera: Camera,
    light: Light,
    x: Float32[np.ndarray, "h w"],
    z: Float32[np.ndarray, " h"],
    shadows: Shadows,
) -> tuple[Float32[np.ndarray, "h w"], Float32[np.ndarray, "h w"]]:
    if light.night:
        cone = headlights(x - camera.x, np.broadcast_to(z[:, None], x.shape))
        beat = 0.5 + 0.5 * np.cos(2 * np.pi * (z + camera.travelled) / LAMP_SPACING)
        lamps = 0.5 * beat[:, None] * np.exp(-((np.abs(x) - 5) ** 2) / 30)
        return (cone + lamps).astype(np.float32), np.zeros_like(x)
    column = (x + np.float32(SHADOW_HALF_SPAN)) / np.float32(SHADOW_CELL) - np.float32(0.5)
    row = np.broadcast_to((z / np.float32(SHADOW_CELL) - np.float32(0.5))[:, None], x.shape)
    full = 1.0 if light.overcast else float(light.sun[1])
    seen, felt = (
        full * (1 - cv2.remap(plan, column, np.ascontiguousarray(row), cv2.INTER_LINEAR))
        for plan in (shadows.seen, shadows.felt)
    )
    return seen, felt


@cache
def no_shadows() -> Shadows:
    """An empty plan: overcast or night."""
    shape = (round(SHADOW_REACH / SHADOW_CELL), round(2 * SHADOW_HALF_SPAN / SHADOW_CELL))
    empty = np.zeros(shape, np.float32)
    return Shadows(seen=empty, felt=empty)
