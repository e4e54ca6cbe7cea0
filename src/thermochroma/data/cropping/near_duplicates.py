"""Frames that hardly differ from an earlier one: found, counted, and dropped if the settings say so.

A waiting car records the same image twenty times a second. The difference is measured on thermal
thumbnails, as the mean absolute difference in grey levels; they are kept in a file and read one by
one, so memory does not grow with the data set.
"""

import math
import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeAlias

import cv2
import numpy as np
import pandas as pd
from jaxtyping import Float64, Int, UInt8
from tqdm import tqdm

from thermochroma.base.files import whole_file
from thermochroma.base.images import ThermalImage, Tone, read_thermal

Note: TypeAlias = Callable[[int, ThermalImage], None]
_Source: TypeAlias = tuple[Path, str, str]
"""Path, tone and SHA-256 of a thermal image."""

WIDTH, HEIGHT = 80, 64
BYTES: Final = WIDTH * HEIGHT  # of one thumbnail
MOST: Final = 255 * BYTES  # the largest sum of differences there can be
CHUNK: Final = 1024  # frames read at once: memory must not grow with the data set
HARDLY_DIFFERS: Final = "thermal image hardly differs from that of"
FITTED_ON: Final = ("train", "validation")


@dataclass(frozen=True)
class Thumbnails:
    """Thumbnails of some frames in a file; the frames that a threshold may be fitted on come first.

    rows: the frames' rows in the table. sequences: the number of each one's sequence; frames of one
    sequence are consecutive, in order. fitted_on: number of frames, from the first, outside the test
    split.
    """

    path: Path
    rows: Int[np.ndarray, " n"]
    sequences: Int[np.ndarray, " n"]
    fitted_on: int


def take_thumbnails(windows: pd.DataFrame, path: Path, *, raw: Path, workers: int) -> Thumbnails:
    """Make the thumbnail of every frame that is not dropped yet; write them to `path` unless it exists.

    windows: from `plan_windows`; `path` must belong to the same table.
    """
    thumbnails = _laid_out(windows, path)
    if not path.exists():
        chosen = windows.loc[thumbnails.rows]
        with whole_file(path) as part:
            images = chosen[["thermal", "tone", "thermal_sha256"]].itertuples(
                index=False, name=None
            )
            _write(part, [(raw / path, tone, sha256) for path, tone, sha256 in images], workers)
    return thumbnails


def keep_thumbnails(windows: pd.DataFrame, path: Path) -> tuple[Thumbnails, Note]:
    """Make an empty file of thumbnails, and a function that fills it while frames are cut.

    The function takes a frame's row in `windows` and its thermal image. So no thermal image is read
    twice if no frame is to be dropped by similarity.
    """
    thumbnails = _laid_out(windows, path)
    place_of = {int(row): place for place, row in enumerate(thumbnails.rows)}
    if not path.exists():
        with whole_file(path) as part:
            os.truncate(part, len(place_of) * BYTES)

    def note(row: int, thermal: ThermalImage) -> None:
        with path.open("r+b") as stream:
            stream.seek(place_of[row] * BYTES)
            stream.write(_small(thermal).tobytes())

    return thumbnails, note


def steps(thumbnails: Thumbnails) -> Float64[np.ndarray, " n"]:
    """Difference of each frame from the one before it, in grey levels; NaN for a sequence's first."""
    found, before, sequence = np.full(len(thumbnails.rows), math.nan), None, -1
    with thumbnails.path.open("rb") as stream:
        for place, own in enumerate(thumbnails.sequences):
            thumbnail = _next(stream.read(BYTES))
            if own == sequence:
                found[place] = cv2.norm(thumbnail, before, cv2.NORM_L1) / BYTES
            before, sequence = thumbnail, own
    return found


def fit_threshold(thumbnails: Thumbnails, images: int) -> float:
    """Fit the threshold that keeps `images` frames outside the test split, or as near as possible.

    Of two equally near ones, the one that keeps more. 0, which drops nothing, if there are no
    more frames than `images`. The threshold is in grey levels.
    """
    fitted_on, low, high = thumbnails.fitted_on, 0, MOST + 1
    kept = {low: fitted_on, high: len(np.unique(thumbnails.sequences[:fitted_on]))}
    if kept[low] <= images:
        return 0.0
    with tqdm(total=high.bit_length(), desc="fit threshold", unit="pass") as bar:
        while high - low > 1:
            middle = (low + high) // 2
            kept[middle] = int(
                np.sum(_leaders(thumbnails, middle, fitted_on) == np.arange(fitted_on))
            )
            low, high = (middle, high) if kept[middle] > images else (low, middle)
            bar.update()
    return min((low, high), key=lambda least: (abs(kept[least] - images), least)) / BYTES


def drop_similar(windows: pd.DataFrame, thumbnails: Thumbnails, threshold: float) -> pd.DataFrame:
    """Drop frames that differ too little from the last one kept; return the table with the reasons.

    threshold: in grey levels; a frame that differs by less from the last kept frame of its sequence
    is dropped, with the reason.
    """
    least = math.ceil(threshold * BYTES - 1e-6)  # whole numbers, up to the rounding of the division
    leaders = _leaders(thumbnails, least, len(thumbnails.rows))
    similar = leaders != np.arange(len(leaders))
    frames, reasons = windows["frame"].to_numpy(), windows["dropped"].to_numpy(object)
    kept_ones = frames[thumbnails.rows[leaders[similar]]]
    reasons[thumbnails.rows[similar]] = [f"{HARDLY_DIFFERS} {frame}" for frame in kept_ones]
    return windows.assign(dropped=reasons)


def _leaders(thumbnails: Thumbnails, least: int, count: int) -> Int[np.ndarray, " n"]:
    """For each of the first `count` frames, its own position if kept, else that of the similar frame.

    least: sum of absolute differences from the last kept frame from which on a frame is kept.
    """
    found, kept, leader, sequence = np.arange(count), None, 0, -1
    with thumbnails.path.open("rb") as stream:
        for place, own in enumerate(thumbnails.sequences[:count]):
            thumbnail = _next(stream.read(BYTES))
            if own != sequence or cv2.norm(thumbnail, kept, cv2.NORM_L1) >= least:
                kept, leader, sequence = thumbnail, place, own
            found[place] = leader
    return found


def _laid_out(windows: pd.DataFrame, path: Path) -> Thumbnails:
    test = ~windows["split"].isin(FITTED_ON)
    number = pd.Series(pd.factorize(windows["sequence"])[0], index=windows.index)
    order = pd.DataFrame({"test": test, "sequence": number})[windows["dropped"] == ""]
    order = order.sort_values(["test", "sequence"], kind="stable")
    fitted_on = int((~order["test"]).sum())
    return Thumbnails(path, order.index.to_numpy(), order["sequence"].to_numpy(), fitted_on)


def _write(path: Path, images: Sequence[_Source], workers: int) -> None:
    with (
        path.open("wb") as stream,
        ThreadPoolExecutor(workers) as pool,  # decoding releases the interpreter's lock
        tqdm(total=len(images), desc="compare", unit="frame") as bar,
    ):
        for start in range(0, len(images), CHUNK):
            for thumbnail in pool.map(_thumbnail, images[start : start + CHUNK]):
                stream.write(thumbnail.tobytes())
                bar.update()


def _thumbnail(image: _Source) -> UInt8[np.ndarray, "64 80"]:
    path, tone, sha256 = image
    return _small(read_thermal(path, Tone.parse(tone), sha256=sha256))


def _small(thermal: ThermalImage) -> UInt8[np.ndarray, "64 80"]:
    """Thumbnail of a thermal image, by area means."""
    return np.asarray(cv2.resize(thermal, (WIDTH, HEIGHT), interpolation=cv2.INTER_AREA))


def _next(read: bytes) -> UInt8[np.ndarray, " bytes"]:
    return np.frombuffer(read, np.uint8)
