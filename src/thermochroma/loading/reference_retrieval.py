"""References of held-out frames: the choice of a *training* frame, whose visible image each one gets.

The choice looks at thermal images alone. Only the places of training frames are kept, so that no
visible image of a held-out frame can be reached through a `References`. The main row of a method uses
`retrieved`; `policies` lists the others.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

import cv2
import numpy as np
import pandas as pd
from jaxtyping import Float, Int

from thermochroma.base.errors import BadInput
from thermochroma.base.files import seed_of
from thermochroma.base.images import ThermalImage, VisibleImage
from thermochroma.loading.crops import CropIndex, Crops

GRID: Final = 16
"""Side of the thumbnails by which thermal images are compared, in pixels."""
AT_ONCE: Final = 1024  # frames compared in one product
ALIKE: Final = (("time", "place"), ("time",), ())
"""Columns in which a frame and its reference agree, where the manifest has values: the first possible."""
COLUMNS: Final = ["frame", "reference", "cosine", "among"]
"""Columns of the table of choices: the frame, its reference, the cosine of their thermal images'
descriptors, and the columns in which all candidates agree with the frame. Empty: no search was made."""

Descriptors = Float[np.ndarray, "_ cells"]


@dataclass(frozen=True, eq=False)
class References:
    """For some frames, the training frame whose visible image is their reference.

    places: of the training frames. chosen: frame id to position in `places`. table: see COLUMNS.
    """

    places: CropIndex
    chosen: Mapping[str, int]
    table: pd.DataFrame

    def image(self, frame: str) -> VisibleImage | None:
        """The reference of a frame; None if it has none."""
        return self.places.visible(self.chosen[frame]) if frame in self.chosen else None


Policy = Callable[[Crops, pd.DataFrame], References]
"""Function that chooses references for the frames of some rows of the manifest."""


def retrieved(crops: Crops, rows: pd.DataFrame) -> References:
    """Choose for each row the training frame with the most similar thermal image: see `most_alike`."""
    train = crops.split("train")
    known, sought = describe(crops.places(train)), describe(crops.places(rows))
    number, cosine, among = most_alike(train, known, rows, sought)
    return _chosen(crops, train, rows, number, cosine=cosine, among=among)


def fixed(crops: Crops, rows: pd.DataFrame, *, seed: int) -> References:
    """Choose for all rows one training frame, drawn by the seed."""
    train = crops.split("train")
    drawn = np.random.default_rng(seed_of(seed, "fixed reference")).integers(len(train))
    return _chosen(crops, train, rows, np.full(len(rows), drawn), cosine=np.nan, among="")


def none(crops: Crops, rows: pd.DataFrame) -> References:
    """Choose no reference for any row."""
    return References(crops.places(crops.split("train")), {}, pd.DataFrame(columns=COLUMNS))


def describe(places: CropIndex) -> Descriptors:
    """Descriptors of thermal images: 16x16 area means, minus their mean, at unit length.

    An image of one grey level has no direction: zeros.
    """
    return np.stack([_descriptor(places.thermal(n)) for n in range(len(places))])


def most_alike(
    train: pd.DataFrame,
    known: Descriptors,
    rows: pd.DataFrame,
    sought: Descriptors,
    *,
    own: Int[np.ndarray, " n"] | None = None,
) -> tuple[Int[np.ndarray, " n"], Float[np.ndarray, " n"], list[str]]:
    """Find for each of `rows` the training row of highest cosine; the first wins a tie.

    known, sought: the descriptors of `train` and `rows`. own: positions of `rows` in `train`, if they
    are training frames: none is its own reference. Returns the positions in `train`, the cosines, and
    the columns in which the candidates agree with the row ("time and place", "time", or "all" for
    none). Raises BadInput if there is no frame to choose.
    """
    number, cosine, among = np.zeros(len(rows), np.int64), np.zeros(len(rows)), [""] * len(rows)
    for those, members, shared in _groups(train, rows, least=1 if own is None else 2):
        for start in range(0, len(those), AT_ONCE):
            some = those[start : start + AT_ONCE]
            angles = sought[some] @ known[members].T
            if own is not None:
                angles[members == own[some][:, None]] = -np.inf
            best = angles.argmax(1)
            number[some], cosine[some] = members[best], angles.max(1)
            for n in some:
                among[n] = shared
    return number, cosine, among


def _groups(
    train: pd.DataFrame, rows: pd.DataFrame, *, least: int
) -> Iterator[tuple[Int[np.ndarray, " r"], Int[np.ndarray, " t"], str]]:
    """Yield positions of rows, of the training rows that are their candidates, and the shared columns."""
    times, places = (rows[key].to_numpy(str) for key in ("time", "place"))
    for time, place in sorted(set(zip(times.tolist(), places.tolist(), strict=True))):
        those = np.flatnonzero((times == time) & (places == place))
        facts = {key: value for key, value in (("time", time), ("place", place)) if value}
        for keys in ALIKE:
            shared = [key for key in keys if key in facts]
            alike = np.ones(len(train), bool)
            for key in shared:
                alike &= (train[key] == facts[key]).to_numpy(bool)
            if alike.sum() >= least:
                yield those, np.flatnonzero(alike), " and ".join(shared) or "all"
                break
        else:
            raise BadInput(
                given=f"the training split has {len(train)} usable frames",
                needed="at least two: a frame is no reference of its own",
                remedy="leave the methods that see references out of `lineup`, or, on this data set, "
                "out of `trainings`",
            )


def _descriptor(thermal: ThermalImage) -> Float[np.ndarray, " cells"]:
    grid = cv2.resize(thermal.astype(np.float64), (GRID, GRID), interpolation=cv2.INTER_AREA)
    centred = (grid - grid.mean()).ravel()
    length = float(np.linalg.norm(centred))
    return centred / length if length > 0 else np.zeros_like(centred)


def _chosen(
    crops: Crops, train: pd.DataFrame, rows: pd.DataFrame, number: np.ndarray, **facts: Any
) -> References:
    frames = rows["frame"].to_numpy(str)
    reference = train["frame"].to_numpy(str)[number]
    table = pd.DataFrame({"frame": frames, "reference": reference, **facts})[COLUMNS]
    chosen = dict(zip(frames.tolist(), number.tolist(), strict=True))
    return References(crops.places(train), chosen, table)
