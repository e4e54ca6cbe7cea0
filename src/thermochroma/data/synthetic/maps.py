"""The shared maps of one scene, and the only way to draw into them: a sheet on four corners.

A *sheet* is a flat drawing with the properties of its material. The scene is painted far to near;
both images are then computed from the same maps, so that they agree to the last pixel.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import cv2
import numpy as np
from jaxtyping import Bool, Float32, Int32

from thermochroma.data.synthetic.camera import Camera, Pixels

Layers = Float32[np.ndarray, "h w 8"]
"""Channels: red, green, blue albedo; cover; own warmth (K above air); emissivity; sun response; cover."""
Plane = Float32[np.ndarray, "h w"]
Level = tuple[Float32[np.ndarray, "h w 4"], Float32[np.ndarray, "h w 4"]]

SMALLEST_LEVEL = 8  # pixels
SMALLEST_STAMP = 0.9  # pixels wide or high: less leaves no trace
COVERED = 0.5
SKY, GROUND, BACKDROP, FIRST_PROP = 0, 1, 2, 3  # values of the instance map


@dataclass(frozen=True)
class Sheet:
    """A flat drawing; at a distance a smaller version of it is used."""

    layers: Layers

    @cached_property
    def levels(self) -> list[Level]:
        """Paint and heat at falling resolutions, premultiplied by cover so that edges blend correctly."""
        covered = self.layers * self.layers[..., 3:4]
        covered[..., 3] = covered[..., 7] = self.layers[..., 3]
        levels = [(covered[..., :4].copy(), covered[..., 4:].copy())]
        while min(levels[-1][0].shape[:2]) >= 2 * SMALLEST_LEVEL:
            height, width = levels[-1][0].shape[:2]
            half = (width // 2, height // 2)
            paint, heat = (
                cv2.resize(part, half, interpolation=cv2.INTER_AREA) for part in levels[-1]
            )
            levels.append((paint, heat))
        return levels


@dataclass(frozen=True)
class Maps:
    """Properties of the scene at each pixel, shared by both cameras."""

    paint: Float32[np.ndarray, "h w 4"]  # albedo red, green, blue; sunlight received
    heat: Float32[np.ndarray, "h w 4"]  # own warmth, emissivity, sun response; sunlight stored
    depth: Plane  # metres; 0 for the sky, which no haze covers
    instance: Int32[np.ndarray, "h w"]


@dataclass(frozen=True)
class Stamped:
    """Box of the pixels that a sheet covers (right, bottom exclusive), and their number."""

    left: int
    top: int
    right: int
    bottom: int
    area: int


def blank(camera: Camera) -> Maps:
    """Maps of an empty world."""
    shape = (camera.height, camera.width)
    return Maps(
        paint=np.zeros((*shape, 4), np.float32),
        heat=np.zeros((*shape, 4), np.float32),
        depth=np.zeros(shape, np.float32),
        instance=np.zeros(shape, np.int32),
    )


def stamp(
    maps: Maps,
    sheet: Sheet,
    corners: Pixels,
    *,
    share: tuple[float, float],
    depth: float,
    lit: tuple[float, float],
    instance: int,
    boxed: bool,
) -> Stamped | None:
    """Draw `sheet` into the maps; corners go clockwise from the top left, in pixels.

    share: the part of the sheet's width in use, from 0 to 1. depth: in metres. lit: sunlight received
    and sunlight stored as heat. Returns None unless `boxed` and a part of it is inside the image.
    """
    window = _window(corners, maps.depth.shape)
    if window is None:
        return None
    left, top, right, bottom = window
    paint, heat = _level(sheet, corners, share)
    height, width = paint.shape[:2]
    start, stop = share[0] * width, share[1] * width
    source = np.array([[start, 0], [stop, 0], [stop, height], [start, height]], np.float32) - 0.5
    target = (corners - (left, top)).astype(np.float32)
    matrix = cv2.getPerspectiveTransform(source, target)
    size = (right - left, bottom - top)
    area = np.s_[top:bottom, left:right]
    above = cv2.warpPerspective(paint, matrix, size)
    cover: Plane = np.ascontiguousarray(above[..., 3])
    through = cv2.merge([1 - cover] * 4)
    _blend(maps.paint[area], above, through, lit[0])
    _blend(maps.heat[area], cv2.warpPerspective(heat, matrix, size), through, lit[1])
    solid = cover > COVERED
    maps.depth[area][solid] = depth
    maps.instance[area][solid] = instance
    return _stamped(solid, left, top) if boxed else None


def _window(corners: Pixels, shape: tuple[int, ...]) -> tuple[int, int, int, int] | None:
    (west, north), (east, south) = corners.min(axis=0).tolist(), corners.max(axis=0).tolist()
    if min(east - west, south - north) < SMALLEST_STAMP:
        return None
    left, top = max(math.floor(west) - 1, 0), max(math.floor(north) - 1, 0)
    right, bottom = min(math.ceil(east) + 2, shape[1]), min(math.ceil(south) + 2, shape[0])
    return (left, top, right, bottom) if right > left and bottom > top else None


def _level(sheet: Sheet, corners: Pixels, share: tuple[float, float]) -> Level:
    """Select the version whose pixels are about as large as the image's, so that nothing flickers."""
    edges = corners[[1, 2, 3, 0]] - corners
    sides = np.hypot(edges[:, 0], edges[:, 1])
    across, down = max(sides[0], sides[2], 1.0), max(sides[1], sides[3], 1.0)
    height, width = sheet.layers.shape[:2]
    ratio = min(width * (share[1] - share[0]) / across, height / down)
    level = int(math.log2(max(ratio, 1.0)) + 0.3)
    return sheet.levels[min(level, len(sheet.levels) - 1)]


def _blend(
    below: Float32[np.ndarray, "h w 4"],
    above: Float32[np.ndarray, "h w 4"],
    through: Float32[np.ndarray, "h w 4"],
    lit: float,
) -> None:
    above[..., 3] *= lit
    below[:] = cv2.add(cv2.multiply(below, through), above)


def _stamped(solid: Bool[np.ndarray, "h w"], left: int, top: int) -> Stamped | None:
    rows, columns = np.flatnonzero(solid.any(axis=1)), np.flatnonzero(solid.any(axis=0))
    if not len(rows):
        return None
    return Stamped(
        left=left + int(columns[0]),
        top=top + int(rows[0]),
        right=left + int(columns[-1]) + 1,
        bottom=top + int(rows[-1]) + 1,
        area=int(solid.sum()),
    )


def union(parts: Sequence[Stamped]) -> Stamped:
    """The box around all `parts`."""
    return Stamped(
        left=min(part.left for part in parts),
        top=min(part.top for part in parts),
        right=max(part.right for part in parts),
        bottom=max(part.bottom for part in parts),
        area=sum(part.area for part in parts),
    )
