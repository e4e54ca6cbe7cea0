"""Objects in the street (props): a few flat faces at a place, with a shadow."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from jaxtyping import Float

from thermochroma.data.synthetic.easel import Metres
from thermochroma.data.synthetic.maps import Sheet

Label = Literal["", "person", "people", "cyclist"]
Side = Literal["left", "right", "near", "up"]

NORMALS: dict[Side, Float[np.ndarray, " 3"]] = {
    "left": np.array([-1.0, 0.0, 0.0]),
    "right": np.array([1.0, 0.0, 0.0]),
    "near": np.array([0.0, 0.0, -1.0]),
    "up": np.array([0.0, 1.0, 0.0]),
}


@dataclass(frozen=True)
class Face:
    """A sheet in space: four corners round from the sheet's top left, in metres from the prop."""

    sheet: Sheet
    corners: Float[np.ndarray, "4 3"]
    side: Side


@dataclass(frozen=True)
class Shade:
    """Body that casts the shadow: a box from `bottom` to `top`, or a ball if `round`; metres."""

    half_width: Metres
    length: Metres
    bottom: Metres
    top: Metres
    round: bool = False
    openness: Metres = 0.0  # share of the light that gets through


@dataclass(frozen=True)
class Prop:
    """One object; `x` from the road's centre line, `z` of its nearest part from the drive's start."""

    x: Metres
    z: Metres
    faces: tuple[Face, ...]
    layer: int  # 0 decals on the ground, 1 houses, 2 the rest: painted in this order
    shade: Shade | None = None
    forward: Metres = 0.0  # m/s
    sideways: Metres = 0.0  # m/s
    label: Label = ""


def upright(sheet: Sheet, *, width: Metres, height: Metres, bottom: Metres = 0.0) -> Face:
    """Make a face turned to the camera, centred on the prop."""
    left, right, top = -width / 2, width / 2, bottom + height
    return Face(
        sheet,
        np.array([[left, top, 0], [right, top, 0], [right, bottom, 0], [left, bottom, 0]]),
        "near",
    )


def wall(
    sheet: Sheet, side: Side, *, x: Metres, length: Metres, height: Metres, bottom: Metres = 0.0
) -> Face:
    """Make a face along the road, `x` metres right of the prop; the sheet's left edge is the near one."""
    top = bottom + height
    return Face(
        sheet,
        np.array([[x, top, 0], [x, top, length], [x, bottom, length], [x, bottom, 0]]),
        side,
    )


def flat(
    sheet: Sheet,
    *,
    width: Metres,
    near: Metres,
    far: Metres,
    height: Metres,
    far_height: Metres | None = None,
) -> Face:
    """Make a level or sloping face; the sheet's lower edge is the near one."""
    left, right, top = -width / 2, width / 2, height if far_height is None else far_height
    return Face(
        sheet,
        np.array(
            [[left, top, far], [right, top, far], [right, height, near], [left, height, near]]
        ),
        "up",
    )
