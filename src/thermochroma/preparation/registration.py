"""Registration of a data set: every mount's transform, in parallel, as tables.

Transforms are the outcome, not pictures: the crop applies them once, together with its own scaling.
"""

import multiprocessing
import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Thread
from typing import Any, Final, TypeAlias

import cv2
import numpy as np
import pandas as pd
from tqdm import tqdm

from thermochroma.errors import BadInput
from thermochroma.images import ThermalPicture, VisiblePicture, read_thermal, read_visible
from thermochroma.manifest import usable
from thermochroma.preparation.estimate import PairEstimate, estimate_pair, score_pair
from thermochroma.preparation.geometry import IDENTITY, Size, corner_distance
from thermochroma.preparation.transforms import ESTIMATE_COLUMNS, NUMBERS, TRANSFORM_COLUMNS
from thermochroma.preparation.vote import MountTransform, single, vote
from thermochroma.source import Matrix

MIN_HELD_OUT: Final = 4  # fewer frames than these cannot confirm anything by themselves

Row: TypeAlias = dict[str, Any]


@dataclass(frozen=True)
class _Place:
    """Where one frame's two pictures lie."""

    frame: str
    thermal: Path
    visible: Path


@dataclass(frozen=True)
class _Task:
    """One mount to be registered: all that a worker is told."""

    mount: str
    asked: Sequence[_Place]
    held_out: Sequence[_Place]
    gain_needed: float

    @property
    def confirming(self) -> Sequence[_Place]:
        """The frames that confirm the vote: others than voted, where there are enough."""
        return self.held_out or self.asked


def register(
    frames: pd.DataFrame,  # columns of manifest.FRAME_COLUMNS; those that are not usable are skipped
    *,
    raw: Path,  # the folder below which the frames' pictures lie
    stills: bool,  # True: every frame is a mount of its own
    sample_frames: int = 40,  # how many frames of a mount are asked, evenly spaced
    held_out_frames: int = 20,  # how many others confirm
    gain_still: float = 0.02,  # what a single frame's transform must add to the correlation
    gain_mount: float = 0.01,  # the same inside a mount, where a vote follows
    workers: int,  # processes; 1 works in this one
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Register every mount; returns the tables of transforms and of estimates, in `frames`' order.

    The result is the same, bit for bit, for any number of workers. Raises BadInput for a picture
    that cannot be read, two sizes in one frame or mount, or stills that share a mount.
    """
    sound = usable(frames)
    groups = sound.groupby("mount", sort=False)
    if stills and len(groups) != len(sound):
        raise BadInput(
            given=f"{len(sound)} stills share {len(groups)} mounts",
            needed="each still is a mount of its own",
            remedy="correct the data set's `frames`, or set its `stills` to False",
        )
    tasks = []
    for mount, group in groups:
        places = _places(group, raw)
        asked, held_out = _shared_out(places, sample_frames, held_out_frames)
        gain = gain_still if len(places) == 1 else gain_mount
        tasks.append(_Task(str(mount), asked, held_out, gain))
    # A transform of the whole data set, for mounts that found none, would be voted on here.
    results = list(tqdm(_results(tasks, workers), total=len(tasks), desc="register", unit="mount"))
    transforms = pd.DataFrame([row for row, _ in results], columns=list(TRANSFORM_COLUMNS))
    estimates = [row for _, rows in results for row in rows]
    return transforms, pd.DataFrame(estimates, columns=list(ESTIMATE_COLUMNS))


def _places(group: pd.DataFrame, raw: Path) -> list[_Place]:
    columns = group[["frame", "thermal", "visible"]]
    return [_Place(f, raw / thermal, raw / visible) for f, thermal, visible in columns.to_numpy()]


def _shared_out(
    places: Sequence[_Place], sample: int, held_out: int
) -> tuple[list[_Place], list[_Place]]:
    """The frames that are asked, and those held out to confirm; too few of these are none."""
    asked = _evenly(len(places), sample)
    rest = [place for index, place in enumerate(places) if index not in set(asked)]
    confirm = [rest[index] for index in _evenly(len(rest), held_out)]
    return [places[i] for i in asked], confirm if len(confirm) >= MIN_HELD_OUT else []


def _evenly(count: int, wanted: int) -> list[int]:
    """At most `wanted` different indices below `count`, evenly spaced from end to end."""
    return [int(i) for i in np.linspace(0, count - 1, min(count, wanted)).round()]


def _results(tasks: Sequence[_Task], workers: int) -> Iterator[tuple[Row, list[Row]]]:
    """Each task's rows, in the order of the tasks."""
    if workers == 1 or len(tasks) < 2:
        with _one_thread():
            yield from map(_register_mount, tasks)
        return
    # Forked from a fresh server: a fork of this process would copy locks that its threads hold.
    server = multiprocessing.get_context("forkserver")
    server.set_forkserver_preload([__name__])
    with ProcessPoolExecutor(min(workers, len(tasks)), server, initializer=_start_worker) as pool:
        for outcome in pool.map(_attempt, tasks):
            if isinstance(outcome, _Refusal):
                raise BadInput(**vars(outcome))
            yield outcome


def _start_worker() -> None:
    """One thread, and an end when the parent ends: a killed parent cannot say so."""
    cv2.setNumThreads(1)
    parent = multiprocessing.parent_process()

    def leave_with_parent() -> None:
        if parent is not None:
            parent.join()
            os._exit(1)

    Thread(target=leave_with_parent, daemon=True).start()


@dataclass(frozen=True)
class _Refusal:
    """The parts of a BadInput, which itself does not survive the way between processes."""

    given: str
    needed: str
    remedy: str


def _attempt(task: _Task) -> tuple[Row, list[Row]] | _Refusal:
    try:
        return _register_mount(task)
    except BadInput as refused:
        return _Refusal(refused.given, refused.needed, refused.remedy)


@contextmanager
def _one_thread() -> Iterator[None]:
    threads = cv2.getNumThreads()
    cv2.setNumThreads(1)
    try:
        yield
    finally:
        cv2.setNumThreads(threads)


def _register_mount(task: _Task) -> tuple[Row, list[Row]]:
    """The mount's row and the rows of the frames that were looked at."""
    size: Size | None = None
    rows, estimates = [], []
    for place in task.asked:
        pair = _read(place)
        size = _same_size(task.mount, size, pair)
        estimates.append(estimate_pair(*pair, gain_needed=task.gain_needed))
        rows.append(_asked_row(place.frame, task.mount, estimates[-1], size))
    assert size is not None  # no mount is without a frame
    if len(estimates) == 1:
        return _mount_row(single(task.mount, estimates[0]), size), rows

    def gains(matrix: Matrix) -> list[float]:
        judged = [_confirming_row(task.mount, place, matrix) for place in task.confirming]
        rows.extend(row for row in judged if task.held_out)
        return [row["gain"] for row in judged if row["gain"] is not None]

    return _mount_row(vote(task.mount, estimates, size, gains=gains), size), rows


def _read(place: _Place) -> tuple[ThermalPicture, VisiblePicture]:
    thermal, visible = read_thermal(place.thermal), read_visible(place.visible)
    if thermal.shape != visible.shape[:2]:
        raise BadInput(
            given=f"{place.thermal} has {thermal.shape[1]}x{thermal.shape[0]} pixels and "
            f"{place.visible} has {visible.shape[1]}x{visible.shape[0]}",
            needed="the two pictures of a frame have one size",
            remedy="remove the pair, or scale one picture to the other",
        )
    return thermal, visible


def _same_size(mount: str, size: Size | None, pair: tuple[ThermalPicture, VisiblePicture]) -> Size:
    here = pair[1].shape[1], pair[1].shape[0]
    if size not in (None, here):
        raise BadInput(
            given=f"the mount {mount} has pictures of two sizes, {size} and {here}",
            needed="frames that share a transform have one size",
            remedy="give the frames of each size a mount of their own",
        )
    return here


def _asked_row(frame: str, mount: str, estimate: PairEstimate, size: Size) -> Row:
    return {
        "frame": frame,
        "mount": mount,
        "role": "vote",
        "accepted": int(estimate.accepted),
        "candidate": estimate.candidate,
        "score_identity": estimate.score_identity,
        "score": estimate.score,
        "gain": estimate.gain,
        "displacement_px": _displacement(estimate.matrix, size),
        "reason": estimate.reason,
    }


def _confirming_row(mount: str, place: _Place, matrix: Matrix) -> Row:
    scores = score_pair(*_read(place), matrix)
    before, after = scores or (None, None)
    gain = None if before is None or after is None else after - before
    return {
        "frame": place.frame,
        "mount": mount,
        "role": "confirm",
        "accepted": int(gain is not None and gain > 0),
        "candidate": "",
        "score_identity": before,
        "score": after,
        "gain": gain,
        "displacement_px": None,
        "reason": "" if scores else "too little texture",
    }


def _mount_row(transform: MountTransform, size: Size) -> Row:
    return {
        "mount": transform.mount,
        "level": transform.level,
        **dict(zip(NUMBERS, map(float, transform.matrix.ravel()), strict=True)),
        "frames_used": transform.frames,
        "accepted": transform.accepted,
        "spread_px": transform.spread_px,
        "mean_gain": transform.mean_gain,
        "improved_share": transform.improved_share,
        "displacement_px": _displacement(transform.matrix, size),
        "width": size[0],
        "height": size[1],
        "reason": transform.reason,
    }


def _displacement(matrix: Matrix, size: Size) -> float:
    """The mean corner displacement in pixels."""
    return corner_distance(matrix, IDENTITY, size)
