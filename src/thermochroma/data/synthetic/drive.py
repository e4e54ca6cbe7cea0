"""The facts of one sequence: place, weather, season, light, speed and mounting of the cameras."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from jaxtyping import Float

from thermochroma.base.files import seed_of
from thermochroma.data.synthetic.camera import Matrix, misregistration
from thermochroma.data.synthetic.plan import SETS, Place, Time

Weather = Literal["clear", "overcast"]
Season = Literal["summer", "autumn"]

FRAMES_PER_SECOND = 20


@dataclass(frozen=True)
class Street:
    """The cross-section of a street; metres."""

    half_width: float  # of the carriageway
    lanes: int  # on each side
    driven: int  # of these; cars park on the others
    pavement: float
    setback: float  # from the kerb to the houses


STREETS: dict[Place, Street] = {
    "campus": Street(half_width=3.6, lanes=1, driven=1, pavement=2.2, setback=9.0),
    "road": Street(half_width=9.8, lanes=3, driven=3, pavement=3.0, setback=15.0),
    "downtown": Street(half_width=6.6, lanes=2, driven=1, pavement=4.2, setback=4.8),
}


@dataclass(frozen=True)
class Drive:
    """Properties that are constant throughout a sequence."""

    seed: int  # of the sequence
    sequence: str
    place: Place
    time: Time
    weather: Weather
    season: Season
    foggy: bool
    air: float  # degrees Celsius
    sun: Float[np.ndarray, " 3"]  # unit vector towards the sun: right, up, ahead
    speed: float  # metres a second
    lane: float  # of the camera, metres to the right of the centre line
    street: Street
    transform: Matrix  # visible pixel -> thermal pixel


def drive_of(*, seed: int, sequence: str, foggy: bool) -> Drive:
    """Choose the facts of `sequence` ("set00/V003"); they depend on nothing else."""
    name, video = sequence.split("/")
    own_seed = seed_of(seed, name, video)
    rng = np.random.default_rng(own_seed)
    _, place, time = SETS[name]
    season: Season = "autumn" if rng.random() < 0.5 else "summer"
    weather: Weather = "overcast" if foggy or rng.random() < 0.4 else "clear"
    street = STREETS[place]
    lane_width = street.half_width / street.lanes
    lane = (int(rng.integers(street.driven)) + 0.5) * lane_width
    warmest = {"summer": 27.0, "autumn": 15.0}[season] - (9.0 if time == "night" else 0.0)
    return Drive(
        seed=own_seed,
        sequence=sequence,
        place=place,
        time=time,
        weather=weather,
        season=season,
        foggy=foggy,
        air=float(warmest + rng.normal(0, 2.0)),
        sun=_towards_sun(rng),
        speed=float(rng.uniform(5, 11) if place != "road" else rng.uniform(9, 17)),
        lane=float(lane + rng.normal(0, 0.2)),
        street=street,
        transform=misregistration(rng),
    )


def _towards_sun(rng: np.random.Generator) -> Float[np.ndarray, " 3"]:
    height = np.deg2rad(rng.uniform(28, 58))
    bearing = rng.uniform(0, 2 * np.pi)
    flat = np.cos(height)
    return np.array([flat * np.sin(bearing), np.sin(height), flat * np.cos(bearing)])
