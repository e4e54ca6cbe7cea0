"""Whether numbers are finite: found on the device, told to the host once in a while, never stepped with."""

from collections.abc import Callable, Sequence
from math import inf
from typing import TypeAlias

import torch
from jaxtyping import Bool
from torch import Tensor, nn

from thermochroma.base.errors import BadInput

Refusal: TypeAlias = Callable[[list[bool]], BadInput]
"""Function from the answers of one check, in its order, to what is said if one of them is no."""


class FiniteChecks:
    """Checks of a training that the host has not read yet.

    defers: each read waits for everything that a GPU was given, so there the answers are kept until
    `read`; on a processor an answer costs nothing, and the first no is raised at once.
    """

    def __init__(self, *, defers: bool) -> None:
        self.defers = defers
        self._unread: list[tuple[Bool[Tensor, " n"], Refusal]] = []

    def note(self, finite: Bool[Tensor, " n"], refusal: Refusal) -> None:
        """Add a check. Raises BadInput for a no if nothing is deferred."""
        self._unread.append((finite, refusal))
        if not self.defers:
            self.read()

    def read(self) -> None:
        """Wait for the device once, and raise the BadInput of the first check with a no."""
        unread, self._unread = self._unread, []
        if not unread:
            return
        answers = torch.cat([finite for finite, _ in unread]).tolist()
        for finite, refusal in unread:
            own, answers = answers[: len(finite)], answers[len(finite) :]
            if not all(own):
                raise refusal(own)


def all_finite(tensors: Sequence[Tensor], *, may_wait: bool) -> Bool[Tensor, ""]:
    """Whether every number of the tensors is finite.

    may_wait: whether an answer may be read on the way. Then sums are asked first, which on a processor
    take a tenth of the time of the greatest size: a sum is finite only if all its numbers are, though
    not always if they are.
    """
    if may_wait and tensors:
        sums = torch.stack([one.sum() for one in tensors]).isfinite().all()
        if sums:
            return sums
    return nn.utils.get_total_norm(tensors, norm_type=inf).isfinite()
