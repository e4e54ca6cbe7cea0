"""Registration of a data set: every mount's transform, computed in parallel, as tables.

The results are transforms, not images: the crop applies them once, together with its own scaling.
"""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pandas as pd
from tqdm import tqdm

from thermochroma.base.errors import BadInput
from thermochroma.base.manifest import usable
from thermochroma.base.parallel import in_order
from thermochroma.data.registration.geometry import IDENTITY, corner_distance
from thermochroma.data.registration.matcher import load_matcher
from thermochroma.data.registration.mounts import (
    FallbackTransform,
    Outcome,
    Record,
    Task,
    fall_back,
    register_mount,
    task_of,
)
from thermochroma.data.registration.rigs import (
    Member,
    Rigs,
    RigTransform,
    refused,
    suspicion,
    vote_of_rigs,
)
from thermochroma.data.registration.tables import ESTIMATE_COLUMNS, NUMBERS, TRANSFORM_COLUMNS


def register(
    frames: pd.DataFrame,  # columns of manifest.FRAME_COLUMNS; those that are not usable are skipped
    *,
    raw: Path,  # the folder below which the frames' images lie
    stills: bool,  # True: every frame is a mount of its own
    sample_frames: int = 40,  # frames of a mount that estimate, evenly spaced
    held_out_frames: int = 20,  # other frames that confirm
    gain_still: float = 0.02,  # least gain of the correlation by a single frame's transform
    gain_mount: float = 0.01,  # least gain inside a mount, where a vote follows
    matcher: str | None = None,  # "module:function", a matcher.Matcher that proposes candidates
    workers: int,  # processes; 1 works in this one
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Register every mount; return the tables of transforms and of estimates, in `frames`' order.

    If the frames of a mount give no transform, that of its rig is tried; if its frames do not gain by
    that either, it keeps the identity. The result is equal, bit for bit, for any number of workers.
    Raises BadInput for an image that cannot be read, two sizes in one frame or mount, stills that
    share a mount, a mount in two rigs, or a matcher that cannot be imported.
    """
    sound = usable(frames)
    _refuse_shared(sound, stills=stills)
    if matcher is not None:
        load_matcher(matcher)  # so that an error is raised here, and not in a worker
    tasks = [
        task_of(
            group,
            raw,
            sample=sample_frames,
            held_out=held_out_frames,
            gain_still=gain_still,
            gain_mount=gain_mount,
            matcher=matcher,
        )
        for _, group in sound.groupby("mount", sort=False)
    ]
    results = in_order(register_mount, tasks, workers=workers)
    outcomes = list(tqdm(results, total=len(tasks), desc="register", unit="mount"))
    rigs = vote_of_rigs(outcome.member for outcome in outcomes)
    outcomes = _helped(tasks, outcomes, rigs, workers=workers)
    transforms = [_mount_row(outcome.member, rigs) for outcome in outcomes]
    estimates = [row for outcome in outcomes for row in outcome.rows]
    return (
        pd.DataFrame(transforms, columns=list(TRANSFORM_COLUMNS)),
        pd.DataFrame(estimates, columns=list(ESTIMATE_COLUMNS)),
    )


def _refuse_shared(sound: pd.DataFrame, *, stills: bool) -> None:
    """Raise BadInput if stills share a mount, or the frames of a mount belong to several rigs."""
    mounts = sound.groupby("mount", sort=False)
    if stills and len(mounts) != len(sound):
        raise BadInput(
            given=f"{len(sound)} stills share {len(mounts)} mounts",
            needed="each still is a mount of its own",
            remedy="correct the data set's `frames`, or set its `stills` to False",
        )
    rigs = mounts["rig"].nunique()
    if (rigs > 1).any():
        raise BadInput(
            given=f"the mount {rigs.index[rigs > 1][0]} has frames of {rigs.max()} rigs",
            needed="a mount belongs to one rig",
            remedy="correct the data set's `frames`",
        )


def _helped(
    tasks: Sequence[Task],
    outcomes: Sequence[Outcome],
    rigs: Rigs,
    *,
    workers: int,
) -> list[Outcome]:
    """Replace outcomes of mounts without a transform by their rig's transform, where it helps."""
    helped, loans = list(outcomes), {}
    for index, (task, outcome) in enumerate(zip(tasks, outcomes, strict=True)):
        member = outcome.member
        lent = rigs.get((member.rig, member.size))
        if lent is None or member.transform.level != "identity":
            continue
        if isinstance(lent, RigTransform):
            loans[index] = FallbackTransform(task, outcome, lent)
        else:
            own = refused(member.transform, lent)
            helped[index] = replace(outcome, member=replace(member, transform=own))
    results = in_order(fall_back, list(loans.values()), workers=workers)
    bar = tqdm(results, total=len(loans), desc="rigs", unit="mount", disable=not loans)
    for index, outcome in zip(loans, bar, strict=True):
        helped[index] = outcome
    return helped


def _mount_row(member: Member, rigs: Rigs) -> Record:
    transform, rig = member.transform, rigs.get((member.rig, member.size))
    return {
        "mount": transform.mount,
        "rig": member.rig,
        "level": transform.level,
        **dict(zip(NUMBERS, map(float, transform.matrix.ravel()), strict=True)),
        "frames_used": transform.frames,
        "accepted": transform.accepted,
        "spread_px": transform.spread_px,
        "mean_gain": transform.mean_gain,
        "improved_share": transform.improved_share,
        "displacement_px": corner_distance(transform.matrix, IDENTITY, member.size),
        "width": member.size[0],
        "height": member.size[1],
        "reason": transform.reason,
        "suspicion": suspicion(member, rig) if isinstance(rig, RigTransform) else "",
    }
