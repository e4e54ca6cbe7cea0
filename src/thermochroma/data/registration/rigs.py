"""What mounts of one rig can lend each other: a transform, and a doubt.

A rig is one pair of cameras, so its mounts differ by little: by day a recording may find the
transform that the next one, by night, cannot. What is lent must still help the borrower's own
frames, and a mount that lies far from its rig is worth a look even if its own frames agree.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Final, TypeAlias

import numpy as np

from thermochroma.contract.dataset import Matrix
from thermochroma.data.registration.geometry import Size, corner_distance
from thermochroma.data.registration.pair_estimate import WORK_WIDTH
from thermochroma.data.registration.vote import MountTransform, agreement, doubt_of, unconfirmed

MIN_MOUNTS: Final = 2
SUSPICIOUS: Final = 3.0  # pixels at `WORK_WIDTH`


@dataclass(frozen=True)
class Member:
    """A mount with its own transform, and the rig to which it belongs; "" for none."""

    transform: MountTransform
    rig: str
    size: Size


@dataclass(frozen=True)
class RigTransform:
    """The median transform of a rig's accepted mounts, for images of one size."""

    rig: str
    matrix: Matrix
    mounts: int


Rigs: TypeAlias = dict[tuple[str, Size], RigTransform | str]
"""Each rig's transform, or why it has none, by rig and size of the images."""


def vote_of_rigs(members: Iterable[Member]) -> Rigs:
    """What the mounts of each rig agree on.

    The vote is that of frames for their mount: the median over the mounts that have a transform of
    their own. It needs two of them, and they must agree to 3 pixels at 512 wide.
    """
    groups: dict[tuple[str, Size], list[Matrix]] = {}
    for member in members:
        if member.rig:
            voters = groups.setdefault((member.rig, member.size), [])
            voters += [member.transform.matrix] if member.transform.level != "identity" else []
    return {(rig, size): _vote(rig, voters, size) for (rig, size), voters in groups.items()}


def _vote(rig: str, voters: Sequence[Matrix], size: Size) -> RigTransform | str:
    if len(voters) < MIN_MOUNTS:
        return f"rig {rig}: {len(voters)} mounts accepted, {MIN_MOUNTS} needed"
    matrix, spread = agreement(voters, size)
    doubt = doubt_of(matrix, spread, size, who="mounts")
    return f"rig {rig}: {doubt}" if doubt else RigTransform(rig, matrix, len(voters))


def borrowed(
    own: MountTransform,
    lent: RigTransform,
    gains: Sequence[float],  # what `lent` adds, on each of the mount's confirming frames
    *,
    gain_needed: float,  # what it must add where there is only one frame
) -> MountTransform:
    """The rig's transform if the mount's own frames gain by it, as for a vote; else the identity."""
    added = np.asarray(gains, float)
    doubt = unconfirmed(added, least=gain_needed if own.frames == 1 else 0.0)
    if doubt:
        return refused(own, f"rig {lent.rig}: {doubt}")
    return replace(
        own,
        matrix=lent.matrix,
        level="rig",
        mean_gain=float(added.mean()),
        improved_share=float(np.mean(added > 0)),
    )


def refused(own: MountTransform, why: str) -> MountTransform:
    """The mount's own identity, which now also says why its rig could not help."""
    return replace(own, reason=f"{own.reason}; {why}")


def suspicion(member: Member, rig: RigTransform) -> str:
    """How far the mount lies from its rig, if that is more than 3 pixels at 512 wide; else ""."""
    apart = corner_distance(member.transform.matrix, rig.matrix, member.size)
    limit = SUSPICIOUS * member.size[0] / WORK_WIDTH
    if apart <= limit:
        return ""
    return f"{apart:.1f} px from rig {rig.rig} (median of {rig.mounts} mounts), {limit:.1f} allowed"
