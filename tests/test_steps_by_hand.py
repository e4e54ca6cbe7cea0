"""A step written out by hand computes what the trainer's does, or its time says nothing of the trainer."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.optim.optimizer import Optimizer, register_optimizer_step_pre_hook

from benchmarks.steps.hand import BY_HAND, by_hand, refuse_unknown
from benchmarks.steps.library import share_of
from benchmarks.steps.timing import Form, Layout
from tests.examiner import IMAGES, PARAMS, batch_of, begin
from tests.layouts import in_layout, relative
from tests.stand_ins import stand_ins
from thermochroma.base.errors import BadInput
from thermochroma.config.params import read_params
from thermochroma.contract.method import Progress
from thermochroma.networks.frozen import FrozenNetworks
from thermochroma.training.loop import play
from thermochroma.training.state import Training, seed_everything

GRADIENTS, WEIGHTS = (
    1e-9,
    1e-6,
)  # of the largest entry; Adam makes much of what rounding leaves of a 0
STEPS = {"thermal_mask": 2}  # its memory of layouts is empty in the first
MIDDLE = Progress(images=IMAGES // 2, of=IMAGES)  # every term lives
Begin = Callable[[Training, Any], Callable[[], object]]
"""Function of a training and a batch to its step."""


@pytest.mark.parametrize("block", BY_HAND)
def test_a_step_by_hand_has_the_gradients_and_weights_of_the_trainers(
    block: str, frozen: FrozenNetworks
) -> None:
    ours, mine = _played(block, frozen, _trainers)
    hand, theirs = _played(block, frozen, lambda *given: by_hand(*given, block))
    assert len(mine) == len(theirs) == STEPS.get(block, 1) * len(ours.players)
    for one, other in zip(mine, theirs, strict=True):
        assert relative(one, other) < GRADIENTS
    for name, player in ours.players.items():
        assert relative(_values(player), _values(hand.players[name])) < WEIGHTS, name


def test_every_method_of_the_line_ups_is_written_out_by_hand() -> None:
    params = read_params(PARAMS)
    assert {*params.lineup, *params.video_lineup} <= {*BY_HAND}


def test_another_block_is_refused_in_a_sentence() -> None:
    with pytest.raises(BadInput, match="the step of `other` is not written out"):
        refuse_unknown("other")


def _values(player: nn.Module) -> list[Tensor]:
    return [one.detach() for one in player.parameters()]


def _trainers(training: Training, batch: Any) -> Callable[[], object]:
    def step() -> None:
        training.progress = MIDDLE  # by hand, no rate moves
        play(training, batch)

    return step


def _played(
    block: str, frozen: FrozenNetworks, begin_step: Begin
) -> tuple[Training, list[list[Tensor]]]:
    """A small training after its steps in float64, and the gradients of each player in turn."""
    training, gradients = begin(block, frozen), list[list[Tensor]]()
    training.game.double()
    training.deployed.double()
    training.progress = MIDDLE
    batch = in_layout(batch_of(block), torch.contiguous_format, dtype=torch.float64)
    step = begin_step(training, batch)

    def keep(optimizer: Optimizer, *_: object) -> None:
        parameters = optimizer.param_groups[0]["params"]
        gradients.append([one.grad.clone() for one in parameters if one.grad is not None])

    handle = register_optimizer_step_pre_hook(keep)
    try:
        seed_everything(7)
        for _ in range(STEPS.get(block, 1)):
            step()
    finally:
        handle.remove()
    return training, gradients


def test_the_librarys_share_of_a_step_is_one(tmp_path: Path) -> None:
    stand_ins(tmp_path)
    share = share_of(Form(tmp_path, 1 / 16, 64, Layout.OWN), "tir2lab")
    assert 0.1 < share < 1
