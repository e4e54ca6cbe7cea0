"""Gallery: the predictions for test frames that are kept for the page, each with its own scores."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd
from jaxtyping import Float64, UInt8

from thermochroma.base.errors import BadInput
from thermochroma.base.files import whole_file
from thermochroma.base.manifest import FACTS
from thermochroma.base.reading import reading
from thermochroma.metrics.image_scores import PERCEPTION, SCORES

FILE: Final = "gallery.npz"
"""Name of the gallery's file, beside a row's scores."""
SPLIT: Final = "test"
FRAMES, IMAGES = "frames", "images"
NEEDED: Final = "the images that the stages evaluate and baselines keep for the page"
REMEDY: Final = "run `dvc repro`, so that every row is evaluated on the present crops"
SCORE, EXTREMES = "score/", "extremes/"
"""Prefixes of the name of a score inside the file."""


def choose_gallery_rows(scored: pd.DataFrame, count: int | None) -> pd.DataFrame:
    """Choose at most `count` of the scored test frames, evenly spread; all of them if None."""
    rows = scored[scored["split"] == SPLIT]
    most = len(rows) if count is None else min(count, len(rows))
    places = np.linspace(0, len(rows) - 1, most).round().astype(int)
    return rows.iloc[places].reset_index(drop=True)


def extremes_of(scores: pd.DataFrame) -> dict[str, list[str]]:
    """Test frames with the worst, the median and the best prediction, by name of score.

    scores: one row per image. A score that no image has is left out.
    """
    test, found = scores[scores["split"] == SPLIT], {}
    frames = test["frame"].to_numpy(object)
    for name, score in (SCORES | PERCEPTION).items():
        values = test[name].to_numpy(float) if name in test else np.empty(0)
        known = np.flatnonzero(~np.isnan(values))
        if len(known):
            rising = values[known] if score.higher_is_better else -values[known]
            order = known[np.argsort(rising, kind="stable")]
            places = [0, (len(order) - 1) // 2, len(order) - 1]
            found[name] = frames[order[places]].tolist()
    return found


def with_extremes(
    gallery_rows: pd.DataFrame, scored: pd.DataFrame, scores: pd.DataFrame
) -> pd.DataFrame:
    """Append to the frames that the page shows for every row of the table the extremes of this one.

    scored: rows of the manifest, of which `gallery_rows` are some. scores: of the predictions for `scored`.
    """
    named = {frame for frames in extremes_of(scores).values() for frame in frames}
    more = scored["frame"].isin(named - {*gallery_rows["frame"]})
    return pd.concat([gallery_rows, scored[more]], ignore_index=True)


def keep_gallery(
    path: Path, scores: pd.DataFrame, frames: Sequence[str], images: UInt8[np.ndarray, "n h w c"]
) -> None:
    """Write the images of these frames without loss, whole or not at all; equal ones give equal bytes.

    scores: one row per scored image; the extremes among them are some of `frames`. The kept scores belong
    to these images, while the table of scores may hold a mean over draws or runs. Raises ValueError if
    numbers of frames and images differ, or if an extreme has no image.
    """
    if len(frames) != len(images):
        raise ValueError(f"{len(frames)} frames but {len(images)} images")
    extremes = extremes_of(scores)
    if lost := {frame for three in extremes.values() for frame in three} - {*frames}:
        raise ValueError(f"no images of the extremes {sorted(lost)}")
    found = scores.set_index("frame").loc[list(frames)].drop(columns=set(FACTS) - {"frame"})
    arrays: dict[str, Any] = {
        FRAMES: np.array(frames, str),
        IMAGES: images,
        **{f"{SCORE}{name}": found[name].to_numpy(float) for name in found},
        **{f"{EXTREMES}{name}": np.array(three, str) for name, three in extremes.items()},
    }
    with whole_file(path) as part, part.open("wb") as stream:
        np.savez_compressed(stream, **arrays)


@dataclass(frozen=True, eq=False)
class Gallery:
    """Frames and scores of the images that are kept for one row of the table.

    frames: those that are shown for every row, followed by this row's extremes. values: each score of
    these frames, NaN where it is not defined. extremes: of each score, the worst, the median and the best
    of all scored test frames.
    """

    frames: Sequence[str]
    values: Mapping[str, Float64[np.ndarray, " n"]]
    extremes: Mapping[str, Sequence[str]]


def read_gallery(path: Path, common_frames: Sequence[str]) -> Gallery:
    """Read a gallery without its images. common_frames: the frames that are shown for every row.

    Raises BadInput if the file is no gallery, or one of other frames.
    """
    stored = _stored(path, common_frames, lambda name: name != IMAGES)
    return Gallery(
        frames=stored[FRAMES].tolist(),
        values=_named(stored, SCORE),
        extremes={name: three.tolist() for name, three in _named(stored, EXTREMES).items()},
    )


def read_images(path: Path, common_frames: Sequence[str]) -> UInt8[np.ndarray, "n h w c"]:
    """Read a gallery's images, in the order of its frames. Raises BadInput as `read_gallery` does."""
    return _stored(path, common_frames, lambda name: name in {FRAMES, IMAGES})[IMAGES]


def _named(stored: Mapping[str, np.ndarray], head: str) -> dict[str, np.ndarray]:
    return {name.removeprefix(head): one for name, one in stored.items() if name.startswith(head)}


def _stored(
    path: Path, common_frames: Sequence[str], wanted: Callable[[str], bool]
) -> dict[str, np.ndarray]:
    """The wanted arrays, each compared with the CRC-32 that the format has of it."""
    with reading(path, needed=NEEDED, remedy=REMEDY), np.load(path) as opened:
        stored = {name: opened[name] for name in opened.files if wanted(name)}
        kept = stored[FRAMES].tolist()
    if kept[: len(common_frames)] != list(common_frames):
        lacking = len({*common_frames} - {*kept})
        raise BadInput(
            given=f"{path} begins with other frames than the crops ask for, and lacks {lacking} of "
            f"{len(common_frames)}",
            needed=NEEDED,
            remedy=REMEDY,
        )
    return stored
