"""Whether numbers are finite: found on the device, told to the host once in a while, never stepped with."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from math import inf
from typing import TypeAlias

import torch
from jaxtyping import Bool
from torch import Tensor, nn

from thermochroma.base.errors import BadInput

What: TypeAlias = Callable[[list[bool]], str]
"""Function from the answers of one check, in its order, to the words for what is not finite."""


@dataclass(frozen=True)
class Moment:
    """The batch that is shown: ids of its frames, and images shown before."""

    frames: tuple[str, ...]
    images: int


@dataclass(frozen=True)
class Note:
    """One check in the turn of a player, which the host has not read yet. It holds no tensor of the step
    but the answers: True for finite."""

    finite: Bool[Tensor, " n"]
    player: str
    what: What


class FiniteChecks:
    """Checks of a training that the host has not read yet.

    defers: each read waits for everything that a GPU was given, so there the answers are kept until
    `read`; on a processor an answer costs nothing, and the first no is raised at once.
    """

    def __init__(self, *, defers: bool) -> None:
        self.defers = defers
        self._moment = Moment((), 0)
        self._unread: list[tuple[Moment, Note]] = []

    def begin(self, moment: Moment) -> None:
        """Name the batch that the next notes are about."""
        self._moment = moment

    def note(self, note: Note) -> None:
        """Add a check. Raises BadInput for a no if nothing is deferred."""
        self._unread.append((self._moment, note))
        if not self.defers:
            self.read()

    @contextmanager
    def apart(self) -> Iterator[list[Note]]:
        """Keep what the block notes out of what will be read; at its end it is in the list."""
        before, self._unread = self._unread, []
        found: list[Note] = []
        try:
            yield found
            found += [note for _, note in self._unread]
        finally:
            self._unread = before

    def read(self) -> None:
        """Wait for the device once, and raise the BadInput of the first check with a no."""
        unread, self._unread = self._unread, []
        if not unread:
            return
        answers = torch.cat([note.finite for _, note in unread]).tolist()
        for moment, note in unread:
            own, answers = answers[: len(note.finite)], answers[len(note.finite) :]
            if not all(own):
                raise _refusal(moment, note, own)


def _refusal(moment: Moment, note: Note, answers: list[bool]) -> BadInput:
    player = note.player
    return BadInput(
        given=f"after {moment.images} images, in the turn of `{player}`, {note.what(answers)} are not "
        f"finite on the frames {', '.join(moment.frames)}",
        needed=f"finite numbers; `{player}` was not stepped, and the last checkpoint is unchanged",
        remedy="lower the learning rate, set `clip_norm`, or look at those frames",
    )


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
