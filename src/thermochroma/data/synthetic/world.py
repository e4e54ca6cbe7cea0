"""The street of one sequence: its props and their places. It repeats after `PERIOD` metres."""

from collections.abc import Iterator

import numpy as np

from thermochroma.data.synthetic import furniture, people
from thermochroma.data.synthetic.cars import car
from thermochroma.data.synthetic.drive import Drive
from thermochroma.data.synthetic.houses import house
from thermochroma.data.synthetic.props import Prop, Shade, Side, upright, wall
from thermochroma.data.synthetic.trees import hedge, tree

PERIOD = 200.0  # metres
WALKERS = {"campus": 9, "road": 5, "downtown": 24}
CAR_GAP = {"campus": 60.0, "road": 40.0, "downtown": 16.0}  # metres, besides a car's length
KERB_CARS = {"campus": 0.3, "road": 0.0, "downtown": 0.4}  # share of the kerb with parked cars
TREE_GAP = {"campus": (5.0, 12.0), "road": (9.0, 20.0), "downtown": (12.0, 28.0)}
TREE_KINDS = 4
CLEAR_AHEAD = 9.0  # metres: nobody is nearer in the own lane


def world_of(drive: Drive) -> list[Prop]:
    """Make all props of a sequence, in no particular order."""
    rng = np.random.default_rng([drive.seed, 5])
    makers = (_houses, _trees, _borders, _posts, _decals, _traffic, _parked, _walkers, _riders)
    return [prop for make in makers for prop in make(rng, drive)]


def _houses(rng: np.random.Generator, drive: Drive) -> Iterator[Prop]:
    gaps = {"campus": (4, 22), "road": (2, 16), "downtown": (0, 5)}[drive.place]
    for side in (-1, 1):
        z = float(rng.uniform(-8, 0))
        while z < PERIOD - 14:
            length = float(rng.uniform(13, 26))
            yield house(rng, drive, side=side, z=z, length=min(length, PERIOD - 10 - z))
            z += length + float(rng.uniform(*gaps))


def _trees(rng: np.random.Generator, drive: Drive) -> Iterator[Prop]:
    sheets = [tree(rng, drive.season, width=6.0, height=7.5) for _ in range(TREE_KINDS)]
    street = drive.street
    for side in (-1, 1):
        rows = [street.half_width + min(1.2, street.pavement * 0.35)]
        if drive.place != "downtown":
            rows.append(street.half_width + street.setback * 0.72)
        for distance in rows:
            z = float(rng.uniform(0, 8))
            while z < PERIOD:
                size = float(rng.uniform(0.65, 1.15)) * (0.8 if drive.place == "downtown" else 1.0)
                x = side * (distance + float(rng.normal(0, 0.25)))
                face = upright(
                    sheets[int(rng.integers(TREE_KINDS))], width=6 * size, height=7.5 * size
                )
                crown = Shade(1.9 * size, 2, 3 * size, 7 * size, round=True, openness=0.25)
                yield Prop(x, z, (face,), layer=2, shade=crown)
                z += float(rng.uniform(*TREE_GAP[drive.place]))


def _borders(rng: np.random.Generator, drive: Drive) -> Iterator[Prop]:
    """Hedges on the campus, guard rails on the road, and a few fences of building sites."""
    edge = drive.street.half_width + drive.street.pavement
    for side in (-1, 1):
        kind = rng.random()
        green = hedge(rng, drive.season, length=10, height=1.1)
        fence = furniture.board_fence(rng, length=10)
        for z in np.arange(0, PERIOD - 12, furniture.RAIL_PIECE):
            if drive.place == "road" and kind < 0.65:
                yield furniture.rail(x=side * (drive.street.half_width + 0.5), z=float(z))
            facing: Side = "left" if side > 0 else "right"
            if drive.place == "campus" and kind < 0.7 and rng.random() < 0.75:
                face = wall(green, facing, x=0, length=10, height=1.1)
                yield Prop(
                    side * (edge + 0.6), float(z), (face,), layer=2, shade=Shade(0.4, 10, 0, 1.1)
                )
            elif drive.place != "downtown" and rng.random() < 0.08:
                face = wall(fence, facing, x=0, length=10, height=2.4)
                yield Prop(
                    side * (edge + 1.2), float(z), (face,), layer=2, shade=Shade(0.1, 10, 0, 2.4)
                )


def _posts(rng: np.random.Generator, drive: Drive) -> Iterator[Prop]:
    edge = drive.street.half_width + 0.6
    for side in (-1, 1):
        for z in np.arange(float(rng.uniform(2, 20)), PERIOD, 24.0):
            yield furniture.lamp_post(drive, x=side * edge, z=float(z))
        for _ in range(int(rng.integers(4, 9))):
            yield furniture.sign(rng, x=side * (edge + 0.3), z=float(rng.uniform(0, PERIOD)))
        for _ in range(int(rng.integers(3, 9))):
            x = side * (edge + drive.street.pavement * float(rng.uniform(0.3, 0.7)))
            yield furniture.bin_or_box(rng, x=x, z=float(rng.uniform(0, PERIOD)))
    if drive.place != "campus":
        for z in (float(rng.uniform(20, 70)), float(rng.uniform(110, 160))):
            yield furniture.gantry(rng, drive, x=edge, z=z)


def _decals(rng: np.random.Generator, drive: Drive) -> Iterator[Prop]:
    street = drive.street
    lane = street.half_width / street.lanes
    for _ in range(10):
        x = float(rng.uniform(-0.9, 0.9)) * (street.half_width - 0.8)
        yield furniture.manhole(rng, x=x, z=float(rng.uniform(0, PERIOD)))
        yield furniture.repair(rng, x=x, z=float(rng.uniform(0, PERIOD)))
    for number in range(street.lanes):
        for z in np.arange(float(rng.uniform(5, 20)), PERIOD, 40.0):
            yield furniture.arrow(x=(number + 0.5) * lane, z=float(z))


def _traffic(rng: np.random.Generator, drive: Drive) -> Iterator[Prop]:
    """Moving cars: in our direction on the right, oncoming on the left; one speed per lane."""
    lane = drive.street.half_width / drive.street.lanes
    for heading in (-1, 1):
        for number in range(drive.street.driven):
            pace = drive.speed * (1.0 if heading > 0 else float(rng.uniform(0.7, 1.2)))
            z = CLEAR_AHEAD + float(rng.exponential(CAR_GAP[drive.place]))
            while z < PERIOD - 30:
                x = heading * (number + 0.5) * lane + float(rng.normal(0, 0.15))
                bus = drive.place != "campus" and rng.random() < 0.1
                yield car(rng, drive, x=x, z=z, heading=heading, speed=pace, bus=bus)
                z += 14 + float(rng.exponential(CAR_GAP[drive.place]))


def _parked(rng: np.random.Generator, drive: Drive) -> Iterator[Prop]:
    for side in (-1, 1):
        if rng.random() < 0.25:
            continue
        for z in np.arange(float(rng.uniform(0, 6)), PERIOD - 8, 6.2):
            if rng.random() < KERB_CARS[drive.place]:
                x = side * (
                    drive.street.half_width - 0.75 + (0.9 if drive.place == "campus" else 0.0)
                )
                yield car(rng, drive, x=x, z=float(z), heading=side, speed=0, bus=False)


def _walkers(rng: np.random.Generator, drive: Drive) -> Iterator[Prop]:
    street = drive.street
    for _ in range(WALKERS[drive.place]):
        crossing = rng.random() < 0.12
        z = float(rng.uniform(CLEAR_AHEAD if crossing else 3, 70 if rng.random() < 0.6 else PERIOD))
        side = 1 if rng.random() < 0.5 else -1
        x = side * (street.half_width + float(rng.uniform(0.7, street.pavement - 0.3)))
        if crossing:
            x = float(rng.uniform(-1, 1)) * street.half_width
        pace = float(rng.uniform(0.9, 1.6)) * (1 if rng.random() < 0.5 else -1)
        count = int(rng.integers(2, 5)) if rng.random() < 0.2 and not crossing else 1
        if count > 1:
            sheet, width = people.group(rng, drive, count), people.group_width(count)
        else:
            sheet, width = people.person(rng, drive), people.PERSON_WIDTH
        yield Prop(
            x=x,
            z=z,
            faces=(upright(sheet, width=width, height=people.PERSON_HEIGHT),),
            layer=2,
            shade=Shade(0.25 * count, 0.3, 0, 1.7),
            forward=0.0 if crossing else pace,
            sideways=pace if crossing else 0.0,
            label="person" if count == 1 else "people",
        )


def _riders(rng: np.random.Generator, drive: Drive) -> Iterator[Prop]:
    for _ in range(int(rng.integers(0, 4))):
        side = 1 if rng.random() < 0.7 else -1
        face = upright(
            people.cyclist(rng, drive), width=people.CYCLIST_WIDTH, height=people.CYCLIST_HEIGHT
        )
        yield Prop(
            x=side * (drive.street.half_width - 0.9),
            z=float(rng.uniform(8, 90)),
            faces=(face,),
            layer=2,
            shade=Shade(0.25, 1.5, 0, 1.7),
            forward=side * float(rng.uniform(3.5, 6)),
            label="cyclist",
        )
