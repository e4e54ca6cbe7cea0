"""Memory layouts: what they may change of a gradient or of a step, which is nothing.

Print the table of docs/results/layouts.md, or some blocks' rows: python -m tests.layouts [block ...]
"""

import argparse
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unittest.mock import patch

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.optim import Optimizer

from tests.examiner import BLOCKS, IMAGES, batch_of, begin, known_block
from tests.stand_ins import stand_ins
from thermochroma.contract.batch import with_each
from thermochroma.contract.method import Progress
from thermochroma.networks.frozen import FrozenNetworks
from thermochroma.training.loop import means_of, play, trainable, weigh
from thermochroma.training.state import seed_everything

LAYOUTS = {"contiguous": torch.contiguous_format, "channels last": torch.channels_last}
HEADS = (
    "block",
    "step, contiguous",
    "step, channels last",
    "strides",
    "gradient, 1 image",
    "gradient, 2 images",
)
OPTIONS = ("lr", "betas", "eps", "weight_decay")  # of Adam and AdamW
LATE = Progress(images=IMAGES - 4, of=IMAGES)  # every term lives


class PlainSteps:
    """Repeats each step of an optimizer on contiguous float64 copies, with torch's plain loop.

    It is handed the gradients that the optimizer is handed. worst: the largest distance of a number
    from its copy after a step, in learning rates, the most that Adam moves a number at first. strides:
    places of gradients, or of the optimizer's moments, whose strides are not those of their parameter.
    """

    def __init__(self, optimizer: Optimizer) -> None:
        self.real = optimizer
        self.parameters = optimizer.param_groups[0]["params"]
        options = {name: optimizer.param_groups[0][name] for name in OPTIONS}
        self.copies = [nn.Parameter(_plain(one)) for one in self.parameters]
        kind: Any = type(optimizer)
        self.plain = kind(self.copies, **options, fused=False, foreach=False)
        self.worst, self.steps = 0.0, 0
        self.strides: set[int] = set()
        optimizer.register_step_pre_hook(self._before)
        optimizer.register_step_post_hook(self._after)

    def _before(self, *_: object) -> None:
        for place, (one, copy) in enumerate(zip(self.parameters, self.copies, strict=True)):
            copy.grad = None if one.grad is None else _plain(one.grad)
            copy.data.copy_(one.detach())
            self._note_strides(place, one)

    def _after(self, *_: object) -> None:
        rate = self.plain.param_groups[0]["lr"] = self.real.param_groups[0]["lr"]
        self.plain.step()
        for place, (one, copy) in enumerate(zip(self.parameters, self.copies, strict=True)):
            away = float((one - copy).detach().abs().max())
            self.worst = max(self.worst, away / rate)
            self._note_strides(place, one)
        self.steps += 1

    def _note_strides(self, place: int, one: nn.Parameter) -> None:
        beside = [one.grad, *(self.real.state[one].get(name) for name in ("exp_avg", "exp_avg_sq"))]
        if any(tensor is not None and tensor.stride() != one.stride() for tensor in beside):
            self.strides.add(place)


def steps_beside_plain_ones(
    block: str, frozen: FrozenNetworks, layout: torch.memory_format, *, count: int
) -> dict[str, PlainSteps]:
    """Play one batch, every optimizer watched."""
    training = begin(block, frozen)
    training.game.to(memory_format=layout)  # type: ignore[call-overload]
    watched = {name: PlainSteps(optimizer) for name, optimizer in training.optimizers.items()}
    training.progress = LATE
    play(training, in_layout(batch_of(block, count=count), layout))
    return watched


def difference_by_layout(block: str, frozen: FrozenNetworks, *, count: int) -> dict[str, float]:
    """The largest difference, by player, between the gradients of two layouts, in float64.

    It is measured by the largest entry of all the player's gradients.
    """
    both = [list(gradients(block, frozen, layout, count=count)) for layout in LAYOUTS.values()]
    return {player: relative(one, other) for (player, one), (_, other) in zip(*both, strict=True)}


def gradients(
    block: str, frozen: FrozenNetworks, layout: torch.memory_format, *, count: int
) -> Iterator[tuple[str, list[Tensor]]]:
    """The player of each turn with its gradients, in float64; nothing is stepped."""
    training = begin(block, frozen)
    training.game.double().to(memory_format=layout)  # type: ignore[call-overload]
    batch = in_layout(batch_of(block, count=count), layout, dtype=torch.float64)
    seed_everything(7)
    training.game.train()
    with patch.object(F, "dropout", _nothing_dropped):
        for turn in training.game.turns(batch, LATE):
            parameters = trainable(training.players[turn.player])
            cost = weigh(means_of(turn.terms), training.weights)
            found = torch.autograd.grad(cost, parameters, allow_unused=True)
            yield turn.player, [one for one in found if one is not None]


def relative(one: list[Tensor], other: list[Tensor]) -> float:
    """The largest difference of two lists of tensors, by the largest entry of the first."""
    largest = max(float(tensor.abs().max()) for tensor in one)
    away = max(float((a - b).abs().max()) for a, b in zip(one, other, strict=True))
    return away / largest


def in_layout(
    batch: Any, layout: torch.memory_format, *, dtype: torch.dtype = torch.float32
) -> Any:
    """The batch with every image in a layout, and every number that is not whole in a type."""

    def change(one: Tensor) -> Tensor:
        typed = one.to(dtype) if one.is_floating_point() else one
        return typed.contiguous(memory_format=layout) if one.ndim == 4 else typed

    return with_each(batch, change)


def _nothing_dropped(x: Tensor, *_: object, **__: object) -> Tensor:
    """Dropout draws its random numbers in the order of memory, and so depends on the layout."""
    return x


def _plain(one: Tensor) -> Tensor:
    return one.detach().double().contiguous().clone()


def _row(block: str, frozen: FrozenNetworks) -> str:
    watched = [
        steps_beside_plain_ones(block, frozen, layout, count=count).values()
        for layout in LAYOUTS.values()
        for count in (1, 2, 4)
    ]
    steps = [max(beside.worst for beside in each) for each in watched]
    strides = [sum(len(beside.strides) for beside in each) for each in watched]
    layouts = [max(difference_by_layout(block, frozen, count=count).values()) for count in (1, 2)]
    cells = [f"{max(steps[:3]):.1g}", f"{max(steps[3:]):.1g}", str(max(strides))]
    return " | ".join([f"`{block}`", *cells, *(f"{value:.1g}" for value in layouts)])


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("blocks", nargs="*", type=known_block, default=BLOCKS)
    given = parser.parse_args()
    torch.set_num_threads(1)
    sys.stdout.write(f"| {' | '.join(HEADS)} |\n|---{'|--:' * (len(HEADS) - 1)}|\n")
    with tempfile.TemporaryDirectory() as folder:
        stand_ins(Path(folder))
        for block in given.blocks:
            sys.stdout.write(f"| {_row(block, FrozenNetworks(Path(folder)))} |\n")
            sys.stdout.flush()


if __name__ == "__main__":
    main()
