"""The step of a block without game and trainer: zero, backward and step for each player, and no more.

The networks, the memories of former images and functions of one image (saliency, L*a*b*, spectra) are the
project's; losses, their weights, what is held fixed and the optimizers are written as public code writes
them. Weights of losses are numbers here, those of params.yaml, with every term of a training's later part.
"""

from collections.abc import Callable, Mapping
from copy import deepcopy
from typing import Any, Final

import torch
from torch import Tensor, nn

from benchmarks.steps import paired, triplets, unpaired
from benchmarks.steps.formulas import Costs
from thermochroma.base.errors import BadInput
from thermochroma.contract.settings import OptimizerSettings
from thermochroma.training.optimizers import KINDS, rate_factor
from thermochroma.training.state import Training

Step = Callable[[], object]

BY_HAND: Final[Mapping[str, Callable[[Any, Any], Costs]]] = {
    "pix2pix": paired.pix2pix,
    "tic_cgan": paired.tic_cgan,
    "mugan": paired.mugan,
    "lkat_gan": paired.tic_cgan,  # other networks, the same step
    "scgan": paired.scgan,
    "tir2lab": paired.tir2lab,
    "reference_contrastive": paired.reference_contrastive,
    "cyclegan": unpaired.cyclegan,
    "pearlgan": unpaired.pearlgan,
    "thermal_mask": unpaired.thermal_mask,
    "cmmf_net": paired.cmmf_net,
    "cmmf_net_no_text": paired.cmmf_net,
    "cmmf_net_no_interaction": paired.cmmf_net,
    "thermochroma": paired.thermochroma,
    "thermochroma_small": paired.thermochroma,
    "recycle_gan": triplets.recycle_gan,
    "i2v_gan": triplets.i2v_gan,
}
"""Function (game, batch) to the costs of a step, by block of params.yaml."""


def refuse_unknown(block: str) -> None:
    """Raise BadInput for a block that nobody has written out by hand."""
    if block not in BY_HAND:
        raise BadInput(
            given=f"the step of `{block}` is not written out by hand",
            needed=f"one of {', '.join(BY_HAND)}",
            remedy="name others in --blocks, or write it in benchmarks/steps/",
        )


def by_hand(training: Training, batch: Any, block: str) -> Step:
    """The step without game and trainer, on the training's networks, with optimizers of its own."""
    game, settings = training.game, training.settings
    factor = rate_factor(training.progress, constant_share=settings.constant_share)
    optimizers = {
        name: _optimizer(player, settings.optimizers[name], factor)
        for name, player in game.players().items()
    }
    costs, average = BY_HAND[block], _averaging(training)

    def step() -> None:
        game.train()
        for player, cost in costs(game, batch):
            optimizers[player].zero_grad()
            cost.backward()
            optimizers[player].step()
        average(len(batch))

    return step


def _optimizer(player: nn.Module, how: OptimizerSettings, factor: float) -> torch.optim.Optimizer:
    parameters = [one for one in player.parameters() if one.requires_grad]
    return KINDS[how.kind](
        parameters, how.lr * factor, betas=how.betas, weight_decay=how.weight_decay
    )


def _averaging(training: Training) -> Callable[[int], object]:
    """Function of a number of images that moves a copy of the translator, where a method has one."""
    half_life = training.settings.average_half_life_images
    if half_life is None:
        return lambda _: None
    average = deepcopy(training.translator)
    pairs: list[tuple[Tensor, Tensor]] = list(
        zip(average.parameters(), training.translator.parameters(), strict=True)
    )

    @torch.no_grad()
    def move(images: int) -> None:
        for mine, new in pairs:
            mine.lerp_(new, 1 - 0.5 ** (images / half_life))

    return move
