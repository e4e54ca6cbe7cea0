"""One instant of a drive: all props at their present places, painted far to near into the maps."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Float32

from thermochroma.data.synthetic.camera import Camera
from thermochroma.data.synthetic.drive import FRAMES_PER_SECOND, Drive
from thermochroma.data.synthetic.ground import cross_sections, lay_ground
from thermochroma.data.synthetic.light import Light, falls_on, light_of
from thermochroma.data.synthetic.maps import FIRST_PROP, Maps, Stamped, blank, stamp, union
from thermochroma.data.synthetic.props import NORMALS, Face, Prop
from thermochroma.data.synthetic.shadows import shadows_of
from thermochroma.data.synthetic.sky import hang_sky, raise_skyline
from thermochroma.data.synthetic.world import PERIOD, world_of

NEAREST, FARTHEST = 1.0, 165.0  # metres
FARTHEST_DECAL, FARTHEST_IN_DRAFT = 60.0, 60.0
BEHIND = 30.0  # metres behind the camera where a prop leaves the street and joins it again ahead

Placed = tuple[Prop, float, float]


@dataclass(frozen=True)
class Stage:
    """Data that all frames of a sequence share, made once."""

    drive: Drive
    light: Light
    props: list[Prop]
    sections: Float32[np.ndarray, "3 blurs cells 8"]


@dataclass(frozen=True)
class Sighting:
    """A labelled prop in the image: its box, and the share of it that is not hidden."""

    label: str
    box: Stamped
    visible: float


@dataclass(frozen=True)
class Scene:
    """The maps of one instant, and the labelled props in them."""

    maps: Maps
    sightings: list[Sighting]


def stage_of(drive: Drive) -> Stage:
    """Build the street of a sequence."""
    return Stage(drive, light_of(drive), world_of(drive), cross_sections(drive))


def camera_at(drive: Drive, number: int) -> Camera:
    """The camera at frame `number` of the drive; it nods a little."""
    nod = 2.5 * np.sin(0.37 * number + drive.seed % 7)
    travelled = drive.speed * number / FRAMES_PER_SECOND
    return Camera(x=drive.lane, travelled=travelled, horizon=238.0 + float(nod))


def paint(stage: Stage, camera: Camera, number: int, farthest: float = FARTHEST) -> Scene:
    """Paint the instant of frame `number` as `camera` sees it, up to `farthest` metres ahead."""
    placed = _placed(stage.props, camera, number / FRAMES_PER_SECOND, farthest)
    maps = blank(camera)
    hang_sky(maps, camera, stage.drive, stage.light)
    raise_skyline(maps, camera, stage.drive)
    shadows = shadows_of(placed, stage.light)
    lay_ground(maps, camera, stage.drive, stage.light, stage.sections, shadows)
    boxes = {}
    for index, (prop, _, _) in enumerate(placed):
        stamped = [
            box
            for face in prop.faces
            if (
                box := _stamp_face(
                    maps, camera, stage.light, placed[index], face, FIRST_PROP + index
                )
            )
        ]
        if stamped:
            boxes[index] = union(stamped)
    return Scene(maps, _sightings(maps, placed, boxes))


def _placed(props: Sequence[Prop], camera: Camera, seconds: float, farthest: float) -> list[Placed]:
    """Place all props at this instant: decals, then houses, then the rest, each far to near."""
    placed = []
    for prop in props:
        z = (prop.z + prop.forward * seconds - camera.travelled + BEHIND) % PERIOD - BEHIND
        if z < (farthest if prop.layer else FARTHEST_DECAL):
            placed.append((prop, prop.x + prop.sideways * seconds, z))
    return sorted(placed, key=lambda one: (one[0].layer, -one[2]))


def _stamp_face(
    maps: Maps, camera: Camera, light: Light, placed: Placed, face: Face, instance: int
) -> Stamped | None:
    prop, x, z = placed
    corners = face.corners + np.array([x, 0.0, z])
    if not _turned_to(face, corners, camera):
        return None
    clipped, start = _clip(corners)
    if clipped is None:
        return None
    normal, middle = NORMALS[face.side], (clipped[0] + clipped[2]) / 2
    seen = falls_on(light, normal, float(middle[0]) - camera.x, float(middle[2]))
    felt = 0.0 if light.night else seen
    return stamp(
        maps,
        face.sheet,
        camera.project(clipped),
        share=(start, 1.0),
        depth=float(clipped[:, 2].min() + middle[2]) / 2,
        lit=(seen, felt),
        instance=instance,
        boxed=prop.label != "",
    )


def _turned_to(face: Face, corners: Float[np.ndarray, "4 3"], camera: Camera) -> bool:
    if face.side == "up":  # a sloping pane may be seen from below its upper edge
        return bool(corners[:, 1].min() < camera.eye)
    towards = np.array([camera.x, camera.eye, 0.0]) - corners[0]
    return bool(towards @ NORMALS[face.side] > 0)


def _clip(corners: Float[np.ndarray, "4 3"]) -> tuple[Float[np.ndarray, "4 3"] | None, float]:
    """Cut off the part behind the camera; return the share of the sheet's width cut off, too."""
    z = corners[:, 2]
    if z.min() >= NEAREST:
        return corners, 0.0
    if z[0] != z[3] or z[1] <= NEAREST:  # not a wall along the road, or wholly behind
        return None, 0.0
    start = (NEAREST - z[0]) / (z[1] - z[0])
    top_left, top_right, bottom_right, bottom_left = corners
    cut = np.stack(
        [
            top_left + start * (top_right - top_left),
            top_right,
            bottom_right,
            bottom_left + start * (bottom_right - bottom_left),
        ]
    )
    return cut, float(start)


def _sightings(maps: Maps, placed: Sequence[Placed], boxes: dict[int, Stamped]) -> list[Sighting]:
    counts = np.bincount(maps.instance.ravel(), minlength=FIRST_PROP + len(placed))
    return [
        Sighting(placed[index][0].label, box, float(counts[FIRST_PROP + index]) / box.area)
        for index, box in boxes.items()
    ]


def draft(stage: Stage, number: int) -> Maps:
    """Paint an instant with a sixteenth of the pixels: enough for statistics."""
    camera = camera_at(stage.drive, number)
    return paint(stage, camera.scaled(0.25), number, FARTHEST_IN_DRAFT).maps
