"""Registration of one mount: some of its frames estimate the transform, others confirm it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final, Literal, TypeAlias

import numpy as np
import pandas as pd

from thermochroma.base.errors import BadInput
from thermochroma.base.images import (
    ThermalImage,
    Tone,
    VisibleImage,
    read_thermal,
    read_visible,
)
from thermochroma.contract.dataset import Matrix
from thermochroma.data.registration.geometry import IDENTITY, Size, corner_distance
from thermochroma.data.registration.matcher import load_matcher
from thermochroma.data.registration.pair_estimate import PairEstimate, estimate_pair, score_pair
from thermochroma.data.registration.rigs import Member, RigTransform, borrowed
from thermochroma.data.registration.vote import single, vote

MIN_HELD_OUT: Final = 4  # fewer frames than these cannot confirm anything by themselves

Record: TypeAlias = dict[str, Any]


@dataclass(frozen=True)
class Place:
    """Paths of one frame's two images, with the SHA-256 of each."""

    frame: str
    thermal: Path
    visible: Path
    tone: str
    """Mapping of the thermal image's counts to 8 bits; "" if it has 8."""
    thermal_sha256: str
    visible_sha256: str


@dataclass(frozen=True)
class Task:
    """One mount to be registered: the input of a worker."""

    mount: str
    rig: str
    asked: Sequence[Place]
    held_out: Sequence[Place]
    gain_needed: float
    matcher: str | None

    @property
    def confirming(self) -> Sequence[Place]:
        """The frames that confirm the vote: other ones than voted, if there are enough."""
        return self.held_out or self.asked


@dataclass(frozen=True)
class Outcome:
    """A registered mount, and the rows of ESTIMATE_COLUMNS of the frames that were examined."""

    member: Member
    rows: list[Record]


@dataclass(frozen=True)
class FallbackTransform:
    """A mount whose own frames gave no transform, and the transform of its rig."""

    task: Task
    outcome: Outcome
    lent: RigTransform


def task_of(
    group: pd.DataFrame,  # one mount's rows of FRAME_COLUMNS
    raw: Path,
    *,
    sample: int,
    held_out: int,
    gain_still: float,
    gain_mount: float,
    matcher: str | None,
) -> Task:
    """Choose the frames that estimate and those that confirm; fewer than 4 of these count as none."""
    columns = group[["frame", "thermal", "visible", "tone", "thermal_sha256", "visible_sha256"]]
    places = [
        Place(name, raw / warm, raw / seen, *facts)
        for name, warm, seen, *facts in columns.to_numpy()
    ]
    asked = _evenly(len(places), sample)
    rest = [place for index, place in enumerate(places) if index not in set(asked)]
    confirm = [rest[index] for index in _evenly(len(rest), held_out)]
    return Task(
        mount=str(group["mount"].iloc[0]),
        rig=str(group["rig"].iloc[0]),
        asked=[places[index] for index in asked],
        held_out=confirm if len(confirm) >= MIN_HELD_OUT else [],
        gain_needed=gain_still if len(places) == 1 else gain_mount,
        matcher=matcher,
    )


def _evenly(count: int, wanted: int) -> list[int]:
    """At most `wanted` different indices below `count`, evenly spaced over the whole range."""
    return [int(i) for i in np.linspace(0, count - 1, min(count, wanted)).round()]


def register_mount(task: Task) -> Outcome:
    """Register a mount by its own frames. Raises BadInput for images that cannot be used."""
    matcher = None if task.matcher is None else load_matcher(task.matcher)
    size: Size | None = None
    rows, estimates = [], []
    for place in task.asked:
        pair = _read(place)
        size = _same_size(task.mount, size, pair)
        estimates.append(estimate_pair(*pair, gain_needed=task.gain_needed, matcher=matcher))
        rows.append(_asked_row(place.frame, task.mount, estimates[-1], size))
    assert size is not None  # no mount is without a frame
    if len(estimates) == 1:
        return Outcome(Member(single(task.mount, estimates[0]), task.rig, size), rows)

    def gains(matrix: Matrix) -> list[float]:
        scored = _scored(task, matrix, "confirm")
        rows.extend(scored if task.held_out else [])
        return _known_gains(scored)

    transform = vote(task.mount, estimates, size, gains=gains)
    return Outcome(Member(transform, task.rig, size), rows)


def fall_back(fallback: FallbackTransform) -> Outcome:
    """Give the mount its rig's transform, if its confirming frames gain by that."""
    scored = _scored(fallback.task, fallback.lent.matrix, "rig")
    member = fallback.outcome.member
    transform = borrowed(
        member.transform, fallback.lent, _known_gains(scored), gain_needed=fallback.task.gain_needed
    )
    return Outcome(replace(member, transform=transform), fallback.outcome.rows + scored)


def _read(place: Place) -> tuple[ThermalImage, VisibleImage]:
    thermal = read_thermal(place.thermal, Tone.parse(place.tone), sha256=place.thermal_sha256)
    visible = read_visible(place.visible, sha256=place.visible_sha256)
    if thermal.shape != visible.shape[:2]:
        raise BadInput(
            given=f"{place.thermal} has {thermal.shape[1]}x{thermal.shape[0]} pixels and "
            f"{place.visible} has {visible.shape[1]}x{visible.shape[0]}",
            needed="the two images of a frame have one size",
            remedy="remove the pair, or scale one image to the other",
        )
    return thermal, visible


def _same_size(mount: str, size: Size | None, pair: tuple[ThermalImage, VisibleImage]) -> Size:
    here = pair[1].shape[1], pair[1].shape[0]
    if size not in (None, here):
        raise BadInput(
            given=f"the mount {mount} has images of two sizes, {size} and {here}",
            needed="frames that share a transform have one size",
            remedy="put the frames of each size into a mount of their own",
        )
    return here


def _asked_row(frame: str, mount: str, estimate: PairEstimate, size: Size) -> Record:
    return {
        "frame": frame,
        "mount": mount,
        "role": "vote",
        "accepted": int(estimate.accepted),
        "candidate": estimate.candidate,
        "score_identity": estimate.score_identity,
        "score": estimate.score,
        "gain": estimate.gain,
        "displacement_px": corner_distance(estimate.matrix, IDENTITY, size),
        "reason": estimate.reason,
    }


def _scored(task: Task, matrix: Matrix, role: Literal["confirm", "rig"]) -> list[Record]:
    """Rows of all confirming frames, with the gain of their correlation by `matrix`."""
    return [_scored_row(task.mount, place, matrix, role) for place in task.confirming]


def _scored_row(mount: str, place: Place, matrix: Matrix, role: str) -> Record:
    scores = score_pair(*_read(place), matrix)
    before, after = scores or (None, None)
    gain = None if before is None or after is None else after - before
    return {
        "frame": place.frame,
        "mount": mount,
        "role": role,
        "accepted": int(gain is not None and gain > 0),
        "candidate": "",
        "score_identity": before,
        "score": after,
        "gain": gain,
        "displacement_px": None,
        "reason": "" if scores else "too little texture",
    }


def _known_gains(scored: Sequence[Record]) -> list[float]:
    return [row["gain"] for row in scored if row["gain"] is not None]
