"""Poles, signs, traffic lights, guard rails, manhole covers and arrows on the road."""

import numpy as np

from thermochroma.data.synthetic.drive import Drive
from thermochroma.data.synthetic.easel import Colour, Easel, Metres, Stuff
from thermochroma.data.synthetic.maps import Sheet
from thermochroma.data.synthetic.noise import patch
from thermochroma.data.synthetic.props import Prop, Shade, flat, upright, wall

STEEL = Stuff((0.36, 0.37, 0.38), own=0.0, emissivity=0.62, response=0.6)  # mirrors the cold sky
BOARDS: tuple[Colour, ...] = (
    (0.02, 0.09, 0.42),
    (0.02, 0.30, 0.14),
    (0.62, 0.05, 0.04),
    (0.70, 0.50, 0.04),
)
WHITE: Colour = (0.78, 0.78, 0.77)
RAIL_PIECE = 12.0  # metres


def lamp_post(drive: Drive, *, x: Metres, z: Metres) -> Prop:
    """Make a street lamp whose arm reaches over the road."""
    easel = Easel(3.4, 8.2, density=16)
    easel.stroke([(1.7, 0), (1.7, 8.0)], 0.15, STEEL)
    tip = 1.7 - float(np.sign(x)) * 1.6
    easel.stroke([(1.7, 8.0), (tip, 8.1)], 0.10, STEEL)
    shine = (24.0, 18.0, 9.0) if drive.time == "night" else (0.6, 0.6, 0.58)
    lamp = Stuff(shine, own=12.0 if drive.time == "night" else 0.5)
    easel.box(min(tip, tip + 0.5), 7.95, max(tip, tip + 0.5), 8.12, lamp)
    face = upright(easel.sheet(), width=3.4, height=8.2)
    return Prop(x, z, (face,), layer=2, shade=Shade(0.08, 0.16, 0, 8))


def sign(rng: np.random.Generator, *, x: Metres, z: Metres) -> Prop:
    """Make a sign on a post: a disc, a triangle or a board. Its drawing is invisible in thermal."""
    easel = Easel(1.2, 3.2, density=32)
    easel.stroke([(0.6, 0), (0.6, 2.4)], 0.07, STEEL)
    colour = BOARDS[int(rng.integers(len(BOARDS)))]
    back, ink = _plate(colour), _plate(WHITE)
    kind = int(rng.integers(3))
    if kind == 0:
        easel.disc(0.6, 2.6, 0.42, 0.42, _plate(BOARDS[2]))
        easel.disc(0.6, 2.6, 0.30, 0.30, ink)
        easel.box(0.45, 2.45, 0.75, 2.75, _plate((0.05, 0.05, 0.05)))
    elif kind == 1:
        easel.polygon([(0.1, 2.2), (1.1, 2.2), (0.6, 3.1)], _plate(BOARDS[2]))
        easel.polygon([(0.3, 2.32), (0.9, 2.32), (0.6, 2.88)], _plate(BOARDS[3]))
    else:
        easel.box(0.05, 2.0, 1.15, 3.1, back)
        easel.box(0.2, 2.65, 1.0, 2.78, ink)
        easel.box(0.2, 2.3, 0.8, 2.43, ink)
    face = upright(easel.sheet(), width=1.2, height=3.2)
    return Prop(x, z, (face,), layer=2, shade=Shade(0.4, 0.1, 2.0, 3.1))


def gantry(rng: np.random.Generator, drive: Drive, *, x: Metres, z: Metres) -> Prop:
    """Make a mast with a traffic light over the lane and, on wide roads, a direction board."""
    reach = drive.street.half_width
    easel = Easel(reach + 1, 7.0, density=24)
    easel.stroke([(reach + 0.6, 0), (reach + 0.6, 6.4)], 0.22, STEEL)
    easel.stroke([(reach + 0.6, 6.2), (0.3, 6.2)], 0.13, STEEL)
    easel.box(0.6, 5.75, 2.3, 6.35, Stuff((0.03, 0.03, 0.03), 2.5))
    lit, glow = int(rng.integers(3)), 8.0 if drive.time == "night" else 1.0
    lamps = ((0.9, 0.05, 0.03), (0.9, 0.55, 0.03), (0.05, 0.8, 0.35))
    for number, lamp in enumerate(lamps):
        power = glow if number == lit else 0.06
        shine = (lamp[0] * power, lamp[1] * power, lamp[2] * power)
        easel.disc(0.9 + 0.55 * number, 6.05, 0.2, 0.2, Stuff(shine, 6.0 if number == lit else 2.5))
    if drive.place == "road":
        easel.box(3.0, 4.9, 6.8, 6.6, _plate(BOARDS[1]))
        for row in (5.2, 5.8):
            easel.box(3.4, row, float(rng.uniform(5, 6.4)), row + 0.3, _plate(WHITE))
    face = upright(easel.sheet(), width=reach + 1, height=7.0)
    return Prop(x - (reach + 1) / 2, z, (face,), layer=2, shade=Shade(reach / 2, 0.2, 5.6, 6.4))


def _plate(colour: Colour) -> Stuff:
    return Stuff(colour, own=0.0, emissivity=0.90, response=0.45)


def rail(*, x: Metres, z: Metres) -> Prop:
    """Make a piece of guard rail; bright in the sun, and cold where it mirrors the sky."""
    easel = Easel(RAIL_PIECE, 0.8, density=24)
    for post in np.arange(0.5, RAIL_PIECE, 2.0):
        easel.box(float(post), 0, float(post) + 0.1, 0.75, STEEL)
    easel.box(0, 0.42, RAIL_PIECE, 0.74, STEEL)
    easel.box(0, 0.56, RAIL_PIECE, 0.6, Stuff((0.16, 0.16, 0.17), 0.0, 0.62))
    face = wall(easel.sheet(), "left" if x > 0 else "right", x=0, length=RAIL_PIECE, height=0.8)
    return Prop(x, z, (face,), layer=2)


def bin_or_box(rng: np.random.Generator, *, x: Metres, z: Metres) -> Prop:
    """Make a litter bin or a switch box on the pavement; some are warm inside."""
    width, height = float(rng.uniform(0.4, 0.9)), float(rng.uniform(0.8, 1.5))
    easel = Easel(width, height, density=24)
    grey = float(rng.uniform(0.08, 0.5))
    body = Stuff((grey * 0.85, grey, grey * 0.9), float(rng.choice([0.0, 4.0])), 0.92, 0.6)
    easel.box(0, 0, width, height, body)
    easel.box(0.05, height * 0.6, width - 0.05, height * 0.85, _plate(BOARDS[int(rng.integers(4))]))
    sheet = easel.sheet()
    faces = (
        wall(
            sheet,
            "left" if x > 0 else "right",
            x=-np.sign(x) * width / 2,
            length=0.5,
            height=height,
        ),
        upright(sheet, width=width, height=height),
    )
    return Prop(x, z, faces, layer=2, shade=Shade(width / 2, 0.5, 0, height))


def manhole(rng: np.random.Generator, *, x: Metres, z: Metres) -> Prop:
    """Make a manhole cover: iron in the visible image, a warm sewer in the thermal one."""
    easel = Easel(0.8, 0.8, density=40)
    easel.disc(0.4, 0.4, 0.38, 0.38, Stuff((0.07, 0.065, 0.06), float(rng.uniform(1, 6)), 0.9, 0.8))
    easel.disc(0.4, 0.4, 0.26, 0.26, Stuff((0.09, 0.085, 0.08), float(rng.uniform(1, 6)), 0.9, 0.8))
    return Prop(x, z, (flat(easel.sheet(), width=0.8, near=0, far=0.8, height=0.01),), layer=0)


def arrow(*, x: Metres, z: Metres) -> Prop:
    """Make a white arrow painted on a lane."""
    easel = Easel(1.0, 4.0, density=24)
    white = Stuff((0.62, 0.62, 0.60), 0.2, 0.92, 1.0)
    easel.box(0.42, 0, 0.58, 2.6, white)
    easel.polygon([(0.1, 2.5), (0.9, 2.5), (0.5, 4.0)], white)
    return Prop(x, z, (flat(easel.sheet(), width=1.0, near=0, far=4.0, height=0.01),), layer=0)


def repair(rng: np.random.Generator, *, x: Metres, z: Metres) -> Prop:
    """Make a patch of other asphalt, darker or lighter, and hotter in the sun."""
    width, length = float(rng.uniform(0.8, 2.4)), float(rng.uniform(1.5, 6))
    easel = Easel(width, length, density=12)
    grey = float(rng.uniform(0.05, 0.17))
    easel.box(
        0,
        0,
        width,
        length,
        Stuff((grey, grey, grey * 1.05), float(rng.normal(0.5, 0.8)), 0.95, 1.0),
    )
    easel.stain(patch(rng, easel.layers.shape[0], easel.layers.shape[1], 0.5), 0.1)
    return Prop(
        x, z, (flat(easel.sheet(), width=width, near=0, far=length, height=0.008),), layer=0
    )


def board_fence(rng: np.random.Generator, *, length: Metres) -> Sheet:
    """Make a fence of coloured panels around a building site."""
    easel = Easel(length, 2.4, density=12)
    left = 0.0
    colours = rng.uniform(0.1, 0.7, (2, 3))
    while left < length:
        pick = colours[int(rng.integers(2))]
        panel = Stuff((float(pick[0]), float(pick[1]), float(pick[2])), 0.0, 0.90, 0.7)
        easel.box(left, 0, left + 1.9, 2.4, panel)
        easel.box(left + 1.9, 0, left + 2.0, 2.4, STEEL)
        left += 2.0
    return easel.sheet()
