"""Houses: facades with windows and shop fronts; some colours and some warmth show in one spectrum only."""

import numpy as np

from thermochroma.data.synthetic.drive import Drive
from thermochroma.data.synthetic.easel import Colour, Easel, Metres, Stuff
from thermochroma.data.synthetic.noise import patch
from thermochroma.data.synthetic.props import Prop, Shade, upright, wall

DENSITY = 10.0  # pixels a metre
FLOOR = 3.3  # metres
RENDERS: tuple[Colour, ...] = (
    (0.40, 0.19, 0.13),  # brick
    (0.34, 0.15, 0.11),
    (0.52, 0.50, 0.46),  # concrete
    (0.62, 0.57, 0.46),
    (0.58, 0.43, 0.29),
    (0.70, 0.69, 0.66),
    (0.30, 0.33, 0.37),
    (0.46, 0.52, 0.50),
    (0.66, 0.52, 0.38),
)
FLOORS = {"campus": (2, 6), "road": (2, 8), "downtown": (3, 13)}
GLOW = (9.0, 7.0, 4.0)  # a lit window by night, as albedo under a night sky


def house(rng: np.random.Generator, drive: Drive, *, side: int, z: Metres, length: Metres) -> Prop:
    """Make a house on the left (-1) or right (1) of the street, from `z` on for `length` metres."""
    floors = int(rng.integers(*FLOORS[drive.place]))
    height, depth = floors * FLOOR + 0.8, float(rng.uniform(9, 14))
    colour = _render(rng)
    shops = drive.place == "downtown" or (drive.place == "road" and rng.random() < 0.4)
    along = _facade(rng, drive, colour, width=length, floors=floors, shops=shops)
    end = _facade(rng, drive, colour, width=depth, floors=floors, shops=False)
    front = drive.street.half_width + drive.street.setback + float(rng.uniform(0, 1.2))
    middle = side * (front + depth / 2)
    facing = wall(
        along.sheet(),
        "left" if side > 0 else "right",
        x=-side * depth / 2,
        length=length,
        height=height,
    )
    return Prop(
        x=middle,
        z=z,
        faces=(facing, upright(end.sheet(), width=depth, height=height)),
        layer=1,
        shade=Shade(half_width=depth / 2, length=length, bottom=0, top=height),
    )


def _render(rng: np.random.Generator) -> Colour:
    base = np.array(RENDERS[int(rng.integers(len(RENDERS)))])
    varied = np.clip(base * rng.uniform(0.75, 1.2) * rng.uniform(0.9, 1.1, 3), 0.05, 0.8)
    return (float(varied[0]), float(varied[1]), float(varied[2]))


def _facade(
    rng: np.random.Generator,
    drive: Drive,
    colour: Colour,
    *,
    width: Metres,
    floors: int,
    shops: bool,
) -> Easel:
    height = floors * FLOOR + 0.8
    easel = Easel(width, height, density=DENSITY)
    easel.box(0, 0, width, height, Stuff(colour, own=0.5, emissivity=0.94, response=0.62))
    _painted_band(easel, rng, width, height)
    rows, columns = easel.layers.shape[:2]
    easel.stain(patch(rng, rows, columns, 0.9), 0.07)
    easel.warm(patch(rng, rows, columns, 1.2), 0.9)  # damp and hollow places, only in thermal
    _windows(easel, rng, drive, width=width, floors=floors, lowest=1 if shops else 0)
    if shops:
        _shop_fronts(easel, rng, drive, width)
    easel.box(0, height - 0.35, width, height, Stuff(_darker(colour), own=0.2, response=0.7))
    return easel


def _painted_band(easel: Easel, rng: np.random.Generator, width: Metres, height: Metres) -> None:
    """Add a band of paint that only the visible image shows: same warmth, same emissivity."""
    if rng.random() < 0.5:
        start, share = rng.uniform(0, 0.7) * width, rng.uniform(0.1, 0.3)
        easel.box(start, 0, start + share * width, height, Stuff(_render(rng), 0.5, 0.94, 0.62))


def _windows(
    easel: Easel, rng: np.random.Generator, drive: Drive, *, width: Metres, floors: int, lowest: int
) -> None:
    bays = max(1, int(width / rng.uniform(2.4, 3.8)))
    pitch = width / bays
    share, ribbon = float(rng.uniform(0.45, 0.72)), rng.random() < 0.25
    slab = float(rng.uniform(0.3, 1.1))
    for floor in range(lowest, floors):
        base = floor * FLOOR
        rows = easel.layers.shape[0]
        line = np.clip(rows - round(base * DENSITY) - 3, 0, rows - 3)
        easel.layers[line : line + 3, :, 4] += slab  # the concrete slab conducts
        if ribbon:
            easel.box(0.4, base + 1.0, width - 0.4, base + 2.6, _glass(rng, drive))
        for bay in range(bays):
            left = (bay + 0.5 - share / 2) * pitch
            right = left + share * pitch
            if not ribbon:
                easel.box(left, base + 0.95, right, base + 2.6, _glass(rng, drive))
                easel.box(left, base + 0.8, right, base + 0.95, Stuff((0.6, 0.6, 0.58), 0.6))
            else:
                easel.box(left, base + 1.0, left + 0.15, base + 2.6, Stuff((0.2, 0.2, 0.2), 0.5))
            if rng.random() < 0.12:  # an air conditioner
                easel.box(right, base + 0.6, right + 0.7, base + 1.2, Stuff((0.7, 0.7, 0.7), 6.0))


def _glass(rng: np.random.Generator, drive: Drive) -> Stuff:
    if drive.time == "night" and rng.random() < 0.3:
        return Stuff(GLOW, own=2.5, emissivity=0.84, response=0.1)
    if rng.random() < 0.2:  # a blind behind the pane
        return Stuff((0.42, 0.41, 0.37), own=0.5, emissivity=0.84, response=0.3)
    shade = float(rng.uniform(0.5, 1.4))
    own = float(rng.normal(-0.5, 1.0))
    return Stuff((0.075 * shade, 0.095 * shade, 0.12 * shade), own, 0.80, 0.15)


def _shop_fronts(easel: Easel, rng: np.random.Generator, drive: Drive, width: Metres) -> None:
    """Add panes, and signs whose colours and letters leave no trace in the thermal image."""
    left = 0.0
    while left < width - 1:
        right = min(left + float(rng.uniform(3.5, 7)), width)
        easel.box(left + 0.2, 0.3, right - 0.2, 2.5, _glass(rng, drive))
        glow = 5.0 if drive.time == "night" and rng.random() < 0.6 else 1.0
        sign = tuple(float(value) * glow for value in rng.uniform(0.04, 0.75, 3) ** 1.4)
        easel.box(
            left + 0.1, 2.55, right - 0.1, 3.35, Stuff((sign[0], sign[1], sign[2]), 1.5, 0.92)
        )
        ink = 0.8 * glow if sum(sign) < 1.2 * glow else 0.03
        for x in np.arange(left + 0.5, right - 0.9, 0.55):
            if rng.random() < 0.75:
                top = 3.15 - float(rng.uniform(0, 0.2))
                easel.box(float(x), 2.75, float(x) + 0.38, top, Stuff((ink, ink, ink), 1.5, 0.92))
        left = right


def _darker(colour: Colour) -> Colour:
    return (colour[0] * 0.7, colour[1] * 0.7, colour[2] * 0.7)
