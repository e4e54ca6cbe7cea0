"""People on foot and on bicycles: warm skin, clothes of any colour, a stride."""

import numpy as np

from thermochroma.data.synthetic.drive import Drive
from thermochroma.data.synthetic.easel import Colour, Easel, Metres, Stuff
from thermochroma.data.synthetic.maps import Sheet

DENSITY = 40.0  # pixels a metre
SKIN_CELSIUS, HAIR_CELSIUS = 32.0, 29.0
CLOTHES_CELSIUS = (22.0, 28.0)  # in mild air; clothes follow the air half-way
SKIN: Colour = (0.50, 0.30, 0.21)
PERSON_WIDTH, PERSON_HEIGHT = 0.9, 1.78
CYCLIST_WIDTH, CYCLIST_HEIGHT = 0.8, 1.85


def person(rng: np.random.Generator, drive: Drive) -> Sheet:
    """Draw one walker, about 1.7 m tall."""
    easel = Easel(PERSON_WIDTH, PERSON_HEIGHT, density=DENSITY)
    _walker(easel, rng, drive, middle=PERSON_WIDTH / 2)
    return easel.sheet()


def group(rng: np.random.Generator, drive: Drive, count: int) -> Sheet:
    """Draw `count` walkers side by side."""
    easel = Easel(group_width(count), PERSON_HEIGHT, density=DENSITY)
    for number in range(count):
        _walker(easel, rng, drive, middle=PERSON_WIDTH / 2 + 0.52 * number)
    return easel.sheet()


def group_width(count: int) -> float:
    """The width of a group's sheet in metres."""
    return PERSON_WIDTH + 0.52 * (count - 1)


def cyclist(rng: np.random.Generator, drive: Drive) -> Sheet:
    """Draw a cyclist seen from behind."""
    easel = Easel(CYCLIST_WIDTH, CYCLIST_HEIGHT, density=DENSITY)
    middle = CYCLIST_WIDTH / 2
    top, trousers, skin = _cloth(rng, drive), _cloth(rng, drive), _skin(drive)
    easel.box(middle - 0.03, 0, middle + 0.03, 0.68, Stuff((0.02, 0.02, 0.02), 1.5))
    easel.box(middle - 0.3, 1.0, middle + 0.3, 1.04, Stuff((0.3, 0.3, 0.32), 0.0, 0.6))
    for side in (-1, 1):
        knee = (middle + side * 0.17, 0.55)
        easel.stroke([(middle + side * 0.1, 0.9), knee], 0.15, trousers)
        easel.stroke([knee, (middle + side * 0.12, 0.22)], 0.12, trousers)
        easel.stroke([(middle + side * 0.2, 1.42), (middle + side * 0.28, 1.06)], 0.11, top)
    easel.polygon(
        [(middle - 0.17, 0.85), (middle + 0.17, 0.85), (middle + 0.22, 1.5), (middle - 0.22, 1.5)],
        top,
    )
    _head(easel, rng, drive, middle, 1.66, skin)
    return easel.sheet()


def _walker(easel: Easel, rng: np.random.Generator, drive: Drive, *, middle: Metres) -> None:
    size = float(rng.uniform(0.88, 1.03))
    stride, swing = float(rng.uniform(0.03, 0.24)), float(rng.uniform(0.02, 0.16))
    top, trousers, skin = _cloth(rng, drive), _cloth(rng, drive), _skin(drive)
    for side in (-1, 1):
        foot = (middle + side * stride, 0.04)
        easel.stroke([(middle + side * 0.09, 0.85 * size), foot], 0.15 * size, trousers)
        easel.box(foot[0] - 0.07, 0, foot[0] + 0.09, 0.07, Stuff((0.03, 0.03, 0.03), 1.0))
        hand = (middle + side * (0.24 + swing), 0.82 * size)
        easel.stroke([(middle + side * 0.2, 1.38 * size), hand], 0.10 * size, top)
        easel.disc(*hand, 0.05, 0.06, skin)
    hip, shoulder = 0.16 * size, 0.23 * size
    easel.polygon(
        [
            (middle - hip, 0.8 * size),
            (middle + hip, 0.8 * size),
            (middle + shoulder, 1.43 * size),
            (middle - shoulder, 1.43 * size),
        ],
        top,
    )
    if rng.random() < 0.3:  # a bag: another colour, next to no warmth
        bag = Stuff(_colour(rng), own=0.5, response=0.4)
        easel.box(middle - 0.15, 0.95 * size, middle + 0.15, 1.36 * size, bag)
    _head(easel, rng, drive, middle, 1.6 * size, skin)


def _head(
    easel: Easel, rng: np.random.Generator, drive: Drive, x: Metres, y: Metres, skin: Stuff
) -> None:
    dark = float(rng.uniform(0.01, 0.06))
    hair = Stuff((dark * 1.2, dark, dark * 0.8), HAIR_CELSIUS - drive.air, 0.97, 0.1)
    easel.box(x - 0.05, y - 0.2, x + 0.05, y - 0.08, skin)
    easel.disc(x, y, 0.105, 0.13, skin)
    easel.disc(x, y + 0.06, 0.11, 0.085, hair)


def _skin(drive: Drive) -> Stuff:
    return Stuff(SKIN, SKIN_CELSIUS - drive.air, 0.98, 0.05)


def _cloth(rng: np.random.Generator, drive: Drive) -> Stuff:
    celsius = float(rng.uniform(*CLOTHES_CELSIUS)) + 0.5 * (drive.air - 18)
    return Stuff(_colour(rng), max(celsius - drive.air, 1.0), 0.96, 0.12)


def _colour(rng: np.random.Generator) -> Colour:
    """Choose a colour: mostly muted, sometimes bright."""
    grey = float(rng.uniform(0.02, 0.6)) ** 1.3
    tint = rng.uniform(0.15, 1.0, 3) if rng.random() < 0.4 else rng.uniform(0.75, 1.0, 3)
    return (float(grey * tint[0]), float(grey * tint[1]), float(grey * tint[2]))
