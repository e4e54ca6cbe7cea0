"""Questions that concern all images of a batch, although this process may compute only its share of them.

A training may run on several processes (training/ranks.py). Each of them computes its share of every
batch, and what depends on the whole batch (a norm's statistics, a memory of former images, a random
number for each image) asks here. Without a share every function does what one line of torch does.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
import torch.distributed as processes
from jaxtyping import Shaped
from torch import Tensor

from thermochroma.base.errors import BadInput
from thermochroma.base.reading import quote

Rows = Shaped[Tensor, "rows *_"]
"""One row for each image, or several: then all first rows come first, as `torch.cat` of batches gives."""


@dataclass(frozen=True)
class Share:
    """The images `first` up to, not including, `after` of a batch `of` so many."""

    first: int
    after: int
    of: int

    @property
    def images(self) -> int:
        """Number of images of the share."""
        return self.after - self.first

    @property
    def is_whole(self) -> bool:
        """Whether the share is the whole batch: then nothing is exchanged."""
        return self.images == self.of

    @property
    def weight(self) -> float:
        """Part that the mean over the share has in the mean over the batch."""
        return self.images / self.of

    def numbers(self, start: int) -> range:
        """Numbers of the share's images where `start` were shown before the batch."""
        return range(start + self.first, start + self.after)


def whole(images: int) -> Share:
    """All images of a batch."""
    return Share(0, images, images)


def count() -> int:
    """Number of processes of this training."""
    return processes.get_world_size() if processes.is_initialized() else 1


def rank() -> int:
    """Number of this process among them, from 0."""
    return processes.get_rank() if processes.is_initialized() else 0


def share_of(images: int) -> Share:
    """Return this process's share of a batch; shares differ by one image at most.

    Of a batch with fewer images than there are processes, every process computes all.
    """
    if images < count():
        return whole(images)
    first, after = (images * number // count() for number in (rank(), rank() + 1))
    return Share(first, after, images)


_computed: Share | None = None


@contextmanager
def computing(share: Share) -> Iterator[None]:
    """Compute this share inside the block; outside of any, each batch is whole."""
    global _computed
    _computed = None if share.is_whole else share
    try:
        yield
    finally:
        _computed = None


def is_shared() -> bool:
    """Whether other processes compute other shares of the present batch."""
    return _computed is not None


def images(own_images: int) -> int:
    """Number of images of the whole batch, of which this process computes `own_images`."""
    return own_images if _computed is None else _computed.of


def gathered(rows: Rows) -> Rows:
    """Rows of the whole batch, in the order of one process; they carry no gradient."""
    share, rows = _computed, rows.detach()
    if share is None:
        return rows
    repeats = rows.unflatten(0, (-1, share.images))
    all_rows = rows.new_zeros(len(repeats), share.of, *rows.shape[1:])
    all_rows[:, share.first : share.after] = repeats
    return _added_up(all_rows).flatten(0, 1)


def own(rows: Rows) -> Rows:
    """Take this process's rows of those of the whole batch."""
    share = _computed
    if share is None:
        return rows
    return rows.unflatten(0, (-1, share.of))[:, share.first : share.after].flatten(0, 1)


def drawn(rows: int, draw: Callable[[int], Rows]) -> Rows:
    """Random rows for `rows` own ones. draw: draws them for a number of rows, here for the whole batch's.

    So every process draws the same numbers, those of one process, and takes its own of them.
    """
    share = _computed
    return own(draw(rows if share is None else rows // share.images * share.of))


def mean(rows: Rows) -> Shaped[Tensor, "*_"]:
    """Mean over the rows of the whole batch, with its gradient."""
    share = _computed
    if share is None:
        return rows.mean(0)
    return added_up(rows.sum(0)) / (len(rows) // share.images * share.of)


def added_up(values: Tensor) -> Tensor:
    """Sum over the processes, with its gradient of any order."""
    if _computed is None:
        return values
    total: Tensor = _Sum.apply(values)  # type: ignore[no-untyped-call]
    return total


def part_of_mean(own_mean: Tensor) -> Tensor:
    """Part of the mean over the batch that comes from the mean over this process's images."""
    return own_mean if _computed is None else own_mean * _computed.weight


def means_of(own_means: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Means over the batch, from those over this process's images; without gradients where it is shared."""
    if _computed is None or not own_means:
        return dict(own_means)
    parts = [part_of_mean(one.detach().double()) for one in own_means.values()]
    return dict(zip(own_means, _added_up(torch.stack(parts)), strict=True))


def add_up(tensors: list[Tensor]) -> None:
    """Replace tensors by their sums over the processes, all of one kind in one exchange."""
    if _computed is None:
        return
    # In the tensors' order: that of a set is another one in each process.
    for like in dict.fromkeys((one.dtype, one.device) for one in tensors):
        some = [one for one in tensors if (one.dtype, one.device) == like]
        flat = _added_up(torch.cat([one.reshape(-1) for one in some]))
        for one, piece in zip(some, flat.split([one.numel() for one in some]), strict=True):
            one.copy_(piece.view(one.shape))


class _Sum(torch.autograd.Function):
    """Sum over the processes. The gradient of a sum reaches every summand, whichever process has it."""

    @staticmethod
    def forward(_: Any, values: Tensor) -> Tensor:
        return _added_up(values.clone(memory_format=torch.contiguous_format))

    @staticmethod
    def backward(_: Any, *slopes: Any) -> Any:
        return _Sum.apply(*slopes)  # type: ignore[no-untyped-call]


def _added_up(values: Tensor) -> Tensor:
    with exchange():
        processes.all_reduce(values)
    return values


@contextmanager
def exchange() -> Iterator[None]:
    """Turn a lost connection, for which torch has other words on each engine, into BadInput."""
    try:
        yield
    except RuntimeError as problem:
        raise BadInput(
            given=f"the connection to another process of this training was lost ({quote(problem)})",
            needed="all of them to the end",
            remedy="run it again: it goes on from the last checkpoint",
        ) from problem
