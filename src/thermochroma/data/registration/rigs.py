"""Transforms of rigs: a fallback for their mounts, and a check of them.

A rig is one pair of cameras, so its mounts differ by little: a recording by day may give the
transform that the next one, by night, cannot give. A rig's transform must still improve the mount's
own frames, and a mount far from its rig's transform is suspicious even if its own frames agree.
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
"""Transform of each rig, or the reason why it has none, by rig and size of the images."""


def vote_of_rigs(members: Iterable[Member]) -> Rigs:
    """Compute the transform of each rig from its mounts.

    The vote is as for the frames of a mount: the median over the mounts that have a transform of
    their own. It needs two of them, and they must agree to 3 pixels at a width of 512.
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
    gains: Sequence[float],  # gain by `lent` on each of the mount's confirming frames
    *,
    gain_needed: float,  # least gain if there is only one frame
) -> MountTransform:
    """Take the rig's transform if the mount's own frames gain by it, as for a vote; else the identity."""
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
    """Keep the mount's identity and add the reason why its rig could not help."""
    return replace(own, reason=f"{own.reason}; {why}")


def suspicion(member: Member, rig: RigTransform) -> str:
    """Message if the mount is more than 3 pixels, at a width of 512, from its rig; else ""."""
    apart = corner_distance(member.transform.matrix, rig.matrix, member.size)
    limit = SUSPICIOUS * member.size[0] / WORK_WIDTH
    if apart <= limit:
        return ""
    return f"{apart:.1f} px from rig {rig.rig} (median of {rig.mounts} mounts), {limit:.1f} allowed"
