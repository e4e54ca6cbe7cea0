"""Cars as boxes with a cabin: rear or front, side, roof, panes, wheels, and their hot parts."""

from dataclasses import dataclass

import numpy as np

from thermochroma.data.synthetic.drive import Drive
from thermochroma.data.synthetic.easel import Colour, Easel, Metres, Stuff
from thermochroma.data.synthetic.maps import Sheet
from thermochroma.data.synthetic.props import Face, Prop, Shade, flat, upright, wall

DENSITY = 36.0  # pixels a metre
PAINTS: tuple[Colour, ...] = (
    (0.78, 0.78, 0.77),  # white
    (0.78, 0.78, 0.77),
    (0.42, 0.43, 0.44),  # silver
    (0.42, 0.43, 0.44),
    (0.12, 0.125, 0.13),
    (0.02, 0.02, 0.022),  # black
    (0.02, 0.02, 0.022),
    (0.42, 0.03, 0.03),
    (0.03, 0.08, 0.30),
    (0.05, 0.22, 0.12),
    (0.60, 0.42, 0.05),
)
TYRE = (0.018, 0.018, 0.018)
GLASS = (0.045, 0.055, 0.065)


@dataclass(frozen=True)
class Build:
    """The measures of a kind of car; metres. Offsets run from the rear and from the front end."""

    width: float
    length: float
    height: float
    deck: float
    boot: tuple[float, float]  # where the rear pane meets the deck, and the roof
    bonnet: tuple[float, float]  # where the windscreen meets the deck, and the roof


BUILDS = (
    Build(1.80, 4.6, 1.46, 0.95, (0.75, 1.35), (1.25, 2.0)),  # saloon
    Build(1.80, 4.6, 1.46, 0.95, (0.75, 1.35), (1.25, 2.0)),
    Build(1.75, 4.0, 1.50, 0.98, (0.05, 0.45), (1.0, 1.7)),  # hatchback
    Build(1.90, 4.6, 1.72, 1.08, (0.05, 0.35), (1.15, 1.75)),  # off-road estate
    Build(1.95, 5.0, 2.10, 1.15, (0.0, 0.1), (0.35, 1.1)),  # van
)
BUS = Build(2.50, 10.5, 3.10, 1.50, (0.0, 0.0), (0.0, 0.05))


def car(
    rng: np.random.Generator,
    drive: Drive,
    *,
    x: Metres,
    z: Metres,
    heading: int,
    speed: Metres,
    bus: bool,
) -> Prop:
    """Make a car whose rear (heading 1) or front (heading -1) faces the camera."""
    build = BUS if bus else BUILDS[int(rng.integers(len(BUILDS)))]
    paint = PAINTS[int(rng.integers(len(PAINTS)))]
    if bus:
        paint = ((0.05, 0.20, 0.42), (0.10, 0.34, 0.14), (0.45, 0.10, 0.07))[int(rng.integers(3))]
    running = speed != 0 or rng.random() < 0.12
    return Prop(
        x=x,
        z=z,
        faces=_faces(
            build, _body(paint), heading=heading, running=running, night=drive.time == "night"
        ),
        layer=2,
        shade=Shade(build.width / 2, build.length, 0.2, build.height * 0.92),
        forward=heading * speed,
    )


def _body(paint: Colour, own: float = 0.0) -> Stuff:
    return Stuff(paint, own=own, emissivity=0.88, response=0.95)  # thin metal: heats at once


def _pane(own: float) -> Stuff:
    return Stuff(GLASS, own=own, emissivity=0.80, response=0.25)


def _faces(
    build: Build, body: Stuff, *, heading: int, running: bool, night: bool
) -> tuple[Face, ...]:
    low, high = build.boot if heading > 0 else build.bonnet
    far = (build.bonnet if heading > 0 else build.boot)[1]
    lid_own = 9.0 if running and heading < 0 else 0.5  # a bonnet over an engine
    side = _side(build, body, heading=heading, running=running)
    half = build.width / 2
    faces = [
        flat(
            _underneath(running),
            width=build.width * 1.12,
            near=-0.25,
            far=build.length,
            height=0.03,
        ),
        wall(side, "left", x=-half, length=build.length, height=build.height),
        wall(side, "right", x=half, length=build.length, height=build.height),
        flat(
            _plain(_body(body.albedo, 1.0)),
            width=build.width * 0.9,
            near=high,
            far=build.length - far,
            height=build.height,
        ),
        flat(
            _window(build, body),
            width=build.width * 0.97,
            near=low,
            far=high,
            height=build.deck,
            far_height=build.height,
        ),
    ]
    if low > 0.2:
        lid = _plain(_body(body.albedo, lid_own))
        faces.append(flat(lid, width=build.width * 0.96, near=0, far=low, height=build.deck))
    end = _end(build, body, heading=heading, running=running, night=night)
    faces.append(upright(end, width=build.width, height=build.deck))
    return tuple(faces)


def _plain(stuff: Stuff) -> Sheet:
    easel = Easel(1, 1, density=16)
    easel.box(0, 0, 1, 1, stuff)
    return easel.sheet()


def _underneath(running: bool) -> Sheet:
    """The dark under the car; warm where an engine runs."""
    easel = Easel(1, 1, density=32)
    easel.box(0, 0, 1, 1, Stuff((0.012, 0.012, 0.013), 5.0 if running else -1.0, 0.95, 0.0))
    rim = np.minimum(np.linspace(0, 8, 32), np.linspace(8, 0, 32))
    cover = np.clip(np.minimum(rim[:, None], rim[None, :]), 0, 0.85).astype(np.float32)
    easel.layers[..., 3] = easel.layers[..., 7] = cover
    return easel.sheet()


def _side(build: Build, body: Stuff, *, heading: int, running: bool) -> Sheet:
    """The profile; its left edge is the end next to the camera."""
    easel = Easel(build.length, build.height, density=DENSITY)
    near, far = (build.boot, build.bonnet) if heading > 0 else (build.bonnet, build.boot)
    length, height, deck = build.length, build.height, build.deck
    roof = [(near[0], deck), (near[1], height), (length - far[1], height), (length - far[0], deck)]
    easel.polygon([(0, 0.25), (0, deck), *roof, (length, deck), (length, 0.25)], body)
    inset = [(near[0] + 0.2, deck + 0.03), (near[1] + 0.1, height - 0.1)]
    inset += [(length - far[1] - 0.1, height - 0.1), (length - far[0] - 0.2, deck + 0.03)]
    easel.polygon(inset, _pane(0.0))
    for share in (0.36, 0.62):
        easel.stroke([(length * share, deck), (length * share, height)], 0.09, body)
    easel.box(0.1, 0.22, length - 0.1, 0.34, Stuff((0.03, 0.03, 0.03), 1.5))
    for x in (0.19 * length, 0.82 * length):
        easel.disc(x, 0.31, 0.33, 0.31, Stuff(TYRE, 7.0 if running else 0.5))
        easel.disc(x, 0.31, 0.19, 0.18, Stuff((0.35, 0.35, 0.36), 9.0 if running else 0.0, 0.6))
    return easel.sheet()


def _window(build: Build, body: Stuff) -> Sheet:
    easel = Easel(build.width, 1, density=DENSITY)
    easel.box(0, 0, build.width, 1, body)
    easel.polygon(
        [(0.12, 0.05), (0.2, 0.9), (build.width - 0.2, 0.9), (build.width - 0.12, 0.05)],
        _pane(-0.5),
    )
    return easel.sheet()


def _end(build: Build, body: Stuff, *, heading: int, running: bool, night: bool) -> Sheet:
    """The rear or the front up to the deck: wheels, bumper, lamps, plate, grille or exhaust."""
    width, deck = build.width, build.deck
    easel = Easel(width, deck, density=DENSITY)
    hot = 1.0 if running else 0.0
    for x in (0.05, width - 0.29):
        easel.box(x, 0, x + 0.24, 0.4, Stuff(TYRE, 6.0 * hot))
    easel.box(0, 0.22, width, deck, body)
    easel.box(0, 0.22, width, 0.42, Stuff((0.04, 0.04, 0.042), 2.0 * hot))
    easel.box(width / 2 - 0.26, 0.5, width / 2 + 0.26, 0.62, Stuff((0.75, 0.75, 0.72), 0.5))
    glow = 14.0 if night and running else 1.0
    for x in (0.06, width - 0.36):
        if heading > 0:
            easel.box(x, 0.66, x + 0.3, 0.84, Stuff((0.45 * glow, 0.02, 0.02), 1.0 * hot))
        else:
            lamp = 0.75 * glow * (2.5 if night else 1)
            easel.box(x, 0.62, x + 0.3, 0.78, Stuff((lamp, lamp, lamp * 0.9), 4.0 * hot, 0.85))
    if heading > 0:
        easel.box(width - 0.5, 0.24, width - 0.36, 0.34, Stuff((0.08, 0.08, 0.08), 28.0 * hot))
    else:
        easel.box(0.42, 0.42, width - 0.42, 0.58, Stuff((0.03, 0.03, 0.03), 13.0 * hot))
    return easel.sheet()
