"""Drawing of any single frame: the same bits whether or not others were drawn before."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from thermochroma.base.files import seed_of
from thermochroma.base.images import ThermalImage, VisibleImage
from thermochroma.data.synthetic.camera import HEIGHT, WIDTH, Matrix
from thermochroma.data.synthetic.drive import drive_of
from thermochroma.data.synthetic.scene import (
    Scene,
    Sighting,
    Stage,
    camera_at,
    draft,
    paint,
    stage_of,
)
from thermochroma.data.synthetic.thermal import Gain, displaced, gain_of, sense, warmth
from thermochroma.data.synthetic.visible import see

DRAFT = 6  # the frame number that sets the gain of a sequence
SMALLEST_BOX = 12  # pixels high
HIDDEN, PARTLY, HEAVILY = 0.1, 0.9, 0.5  # visible shares: below, not annotated / occlusion 1 / 2


@dataclass(frozen=True)
class Box:
    """A person, people or cyclist in the visible image; whole pixels."""

    label: str
    left: int
    top: int
    width: int
    height: int
    occlusion: int
    """Degree of occlusion: 0 none, 1 partial, 2 heavy."""


@dataclass(frozen=True)
class Drawn:
    """One frame: both images (512x640), the boxes, and the transform of visible to thermal pixels."""

    thermal: ThermalImage
    visible: VisibleImage
    boxes: tuple[Box, ...]
    transform: Matrix


def draw_frame(*, seed: int, sequence: str, number: int, foggy: bool = False) -> Drawn:
    """Draw frame `number` of `sequence` ("set00/V003")."""
    stage, gain = _prepared(seed, sequence, foggy)
    drive = stage.drive
    scene = paint(stage, camera_at(drive, number), number)
    rng = np.random.default_rng(seed_of(seed, *sequence.split("/"), number))
    moved = displaced(warmth(scene.maps, drive, stage.light), drive.transform)
    return Drawn(
        thermal=sense(moved, gain, drive, rng),
        visible=see(scene.maps, drive, stage.light, rng),
        boxes=_boxes(scene, foggy=foggy),
        transform=drive.transform,
    )


@lru_cache(maxsize=1)  # frames come sequence by sequence
def _prepared(seed: int, sequence: str, foggy: bool) -> tuple[Stage, Gain]:
    stage = stage_of(drive_of(seed=seed, sequence=sequence, foggy=foggy))
    return stage, gain_of(warmth(draft(stage, DRAFT), stage.drive, stage.light))


def _boxes(scene: Scene, *, foggy: bool) -> tuple[Box, ...]:
    """Boxes that an annotator would draw: large enough, not hidden, and nothing in fog."""
    seen = [one for one in scene.sightings if one.visible >= HIDDEN and not foggy]
    boxes = (_box(one) for one in seen)
    return tuple(box for box in boxes if box.height >= SMALLEST_BOX)


def _box(sighting: Sighting) -> Box:
    box = sighting.box
    occlusion = 0 if sighting.visible >= PARTLY else 1 if sighting.visible >= HEAVILY else 2
    left, top = max(box.left, 0), max(box.top, 0)
    right, bottom = min(box.right, WIDTH), min(box.bottom, HEIGHT)
    return Box(sighting.label, left, top, right - left, bottom - top, occlusion)
