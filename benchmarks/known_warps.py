"""How far a registration is off where the truth is known: RoadScene's pairs, warped by us.

40 pairs, half by day and half by night, each thermal image warped in every way of `WARPS`; and the
same pairs left as they are or moved by little, to see what the gain that is asked for costs and
saves. RoadScene's own pairs are off by about 2 pixels at the corners, so no error can be much less.

    python -m benchmarks.known_warps --roadscene data/raw/roadscene
"""

import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeAlias

import cv2
import numpy as np
import pandas as pd
from jaxtyping import Float64
from tqdm import tqdm

from stages.command import run
from thermochroma.base.images import ThermalImage, VisibleImage, read_thermal, read_visible
from thermochroma.contract.dataset import Frame
from thermochroma.data.datasets.roadscene import RoadSceneSettings, frames
from thermochroma.data.registration.geometry import corners
from thermochroma.data.registration.pair_estimate import estimate_pair

PAIRS, WIDTH, BORDER = 40, 512, 26  # the border is cut off, so that no warp shows its rim
SEED: Final = 0
WORSE: Final = 3.0  # pixels by which an error must grow before it counts as damage
GAINS: Final = (0.0, 0.005, 0.01, 0.02, 0.03)
GAIN_MOUNT: Final = 0.01  # as in params.yaml, where a vote follows

Homography: TypeAlias = Float64[np.ndarray, "3 3"]
Pair: TypeAlias = tuple[ThermalImage, VisibleImage]


@dataclass(frozen=True)
class Reach:
    """How far random warps go: each number is drawn evenly between minus and plus this."""

    shift: float = 0.0  # pixels: the longest shift; its end is drawn evenly from a disc
    turn: float = 0.0  # degrees
    scale: float = 0.0
    shear: float = 0.0
    jitter: float = 0.0  # pixels, each corner by itself


WARPS: Final = {
    "shift": Reach(12),
    "similarity": Reach(12, 2, 0.03),
    "affine": Reach(12, 2, 0.03, 0.02),
    "homography": Reach(12, 2, 0.03, 0.02, 4),
}
SITUATIONS: Final = {
    "aligned": Reach(),
    "small": Reach(4, 0.5, 0.01),
    "large": Reach(12, 2, 0.03),
}


def main(roadscene: Path) -> None:
    """Prints the table of known warps, and that of the gain needed, as Markdown."""
    chosen = chosen_frames(frames(RoadSceneSettings(), roadscene))
    trials = pd.DataFrame(_trials(chosen, roadscene, WARPS))
    sys.stdout.write(f"\n{warps_table(trials)}\n\n")
    trials = pd.DataFrame(_trials(chosen, roadscene, SITUATIONS))
    sys.stdout.write(f"{gains_table(trials)}\n")


def chosen_frames(found: Sequence[Frame]) -> list[Frame]:
    """Half by day and half by night, evenly spread."""
    groups = [[each for each in found if each.time == time] for time in ("day", "night")]
    return [
        group[int(index)]
        for group in groups
        for index in np.linspace(0, len(group) - 1, PAIRS // 2).round()
    ]


def _trials(chosen: Sequence[Frame], raw: Path, ways: dict[str, Reach]) -> Iterator[dict]:
    """One row a pair and way: what the best candidate gains and how far the corners are off."""
    cv2.setNumThreads(1)
    rng = np.random.default_rng(SEED)
    for frame in tqdm(chosen, desc="known warps", unit="pair"):
        pair = _read(raw, frame)
        for way, reach in ways.items():
            truth = drawn_warp(rng, reach, _size(pair))
            thermal, visible, truth = warped(pair, truth)
            found = estimate_pair(thermal, visible, gain_needed=-np.inf)
            as_found = np.vstack([found.matrix, [0, 0, 1]])
            size = visible.shape[1], visible.shape[0]
            yield {
                "frame": frame.frame,
                "time": frame.time,
                "way": way,
                "gain": found.gain if found.candidate else -np.inf,
                "candidate": found.candidate,
                "before": distance(np.eye(3), truth, size),
                "found": distance(as_found, truth, size),
                "moved": distance(as_found, np.eye(3), size),
            }


def _read(raw: Path, frame: Frame) -> Pair:
    """Both images, `WIDTH` wide."""
    thermal, visible = read_thermal(raw / frame.thermal), read_visible(raw / frame.visible)
    size = WIDTH, round(visible.shape[0] * WIDTH / visible.shape[1])
    scaled = [cv2.resize(one, size, interpolation=cv2.INTER_AREA) for one in (thermal, visible)]
    return scaled[0], scaled[1]


def _size(pair: Pair) -> tuple[int, int]:
    return pair[1].shape[1], pair[1].shape[0]


def drawn_warp(rng: np.random.Generator, reach: Reach, size: tuple[int, int]) -> Homography:
    """A random warp about the middle of the image."""
    turn, scale = np.radians(_any(rng, reach.turn)), 1 + _any(rng, reach.scale)
    linear = scale * np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    linear = linear @ [[1, _any(rng, reach.shear)], [0, 1 + _any(rng, reach.shear)]]
    middle, way = (np.array(size) - 1) / 2, rng.uniform(0, 2 * np.pi)
    shift = reach.shift * np.sqrt(rng.uniform()) * np.array([np.cos(way), np.sin(way)])
    matrix = np.vstack([np.column_stack([linear, middle - linear @ middle + shift]), [0, 0, 1]])
    there = _places(matrix, size) + rng.uniform(-reach.jitter, reach.jitter, (4, 2))
    bent = cv2.getPerspectiveTransform(corners(size).astype(np.float32), there.astype(np.float32))
    return np.asarray(bent, np.float64)


def _any(rng: np.random.Generator, reach: float) -> float:
    return float(rng.uniform(-reach, reach))


def warped(pair: Pair, truth: Homography) -> tuple[ThermalImage, VisibleImage, Homography]:
    """The pair with its thermal image warped and its border cut off, and the truth for it."""
    thermal, visible = pair
    size = _size(pair)
    moved = cv2.warpPerspective(
        thermal, truth, size, flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE
    )
    inside = slice(BORDER, -BORDER)
    cut = np.array([[1.0, 0, -BORDER], [0, 1, -BORDER], [0, 0, 1]])
    there = cut @ truth @ np.linalg.inv(cut)
    return np.asarray(moved)[inside, inside], visible[inside, inside], there


def distance(one: Homography, other: Homography, size: tuple[int, int]) -> float:
    """The mean distance between where two warps take the corners, in pixels."""
    apart = _places(one, size) - _places(other, size)
    return float(np.linalg.norm(apart, axis=1).mean())


def _places(matrix: Homography, size: tuple[int, int]) -> Float64[np.ndarray, "4 2"]:
    placed = np.column_stack([corners(size), np.ones(4)]) @ matrix.T
    return np.asarray(placed[:, :2] / placed[:, 2:])


def warps_table(trials: pd.DataFrame) -> str:
    """Corner errors after registration with the gain needed inside a mount."""
    trials = _after(trials, GAIN_MOUNT)
    groups: dict[str, pd.Series] = {way: trials["way"] == way for way in WARPS}
    linear = trials["way"] != "homography"
    groups |= {
        f"the first three, by {time}": linear & (trials["time"] == time)
        for time in ("day", "night")
    }
    groups |= {"the first three": linear, "all": trials["way"] != ""}
    head = ["warp", "trials", "before", "mean", "median", "90 %", "over 4 px", "worse"]
    return _table(head, ([name, *_errors(trials[chosen])] for name, chosen in groups.items()))


def _errors(rows: pd.DataFrame) -> list[str]:
    after = rows["after"]
    figures = [rows["before"].mean(), after.mean(), after.median(), after.quantile(0.9)]
    shares = [(after > 4).mean(), (after > rows["before"] + WORSE).mean()]
    return [str(len(rows)), *(f"{f:.2f}" for f in figures), *(f"{s:.1%}" for s in shares)]


def gains_table(trials: pd.DataFrame) -> str:
    """What each gain needed costs and saves, for pairs aligned, off by little and off by much."""
    head = ["gain needed", *(f"{way}: {what}" for way, what in _columns())]
    return _table(head, ([f"{gain:g}", *_cells(trials, gain)] for gain in GAINS))


def _columns() -> Iterator[tuple[str, str]]:
    for way in SITUATIONS:
        yield way, "accepted"
        yield from [(way, "moved by")] if way == "aligned" else [(way, "error"), (way, "worse")]
    yield "aligned", "moved most"


def _cells(trials: pd.DataFrame, gain: float) -> Iterator[str]:
    rows = _after(trials, gain)
    tell: dict[str, Callable[[pd.DataFrame], str]] = {
        "accepted": lambda part: f"{part['accepted'].mean():.0%}",
        "moved by": lambda part: f"{part['moved'].mean():.2f}",
        "moved most": lambda part: f"{part['moved'].max():.1f}",
        "error": lambda part: f"{part['after'].mean():.2f} (from {part['before'].mean():.2f})",
        "worse": lambda part: f"{(part['after'] > part['before'] + WORSE).mean():.1%}",
    }
    for way, what in _columns():
        yield tell[what](rows[rows["way"] == way])


def _after(trials: pd.DataFrame, gain: float) -> pd.DataFrame:
    """What a registration that asks for this gain leaves behind."""
    accepted = trials["gain"] >= gain
    return trials.assign(
        accepted=accepted,
        after=trials["found"].where(accepted, trials["before"]),
        moved=trials["moved"].where(accepted, 0.0),
    )


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


if __name__ == "__main__":
    run(main)
