"""Optimizers by player, and the one schedule of the learning rate."""

from collections.abc import Iterable, Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import Adam, AdamW, Optimizer

from thermochroma.base.errors import BadInput
from thermochroma.contract.method import Progress
from thermochroma.contract.settings import OptimizerSettings

KINDS: Mapping[str, type[Adam]] = {"adam": Adam, "adamw": AdamW}


def build_optimizers(
    players: Mapping[str, nn.Module], settings: Mapping[str, OptimizerSettings]
) -> dict[str, Optimizer]:
    """One optimizer per player. Raises BadInput if the settings do not name exactly the players."""
    if set(players) != set(settings):
        raise BadInput(
            given=f"`optimizers` names {sorted(settings)}",
            needed=f"exactly the players of the game: {sorted(players)}",
            remedy="correct the method's block in params.yaml",
        )
    return {name: _build(player, settings[name]) for name, player in players.items()}


def refuse_misowned(game: nn.Module, players: Mapping[str, nn.Module]) -> None:
    """Raise ValueError unless every trainable parameter belongs to exactly one player."""
    names = {id(parameter): name for name, parameter in _trainable(game.named_parameters())}
    owners: dict[int, list[str]] = {identity: [] for identity in names}
    for player, network in players.items():
        for _, parameter in _trainable(network.named_parameters()):
            owners[id(parameter)].append(player)
    for identity, who in owners.items():
        if len(who) != 1:
            raise ValueError(
                f"the parameter {names[identity]} belongs to {who or 'no player'}; exactly one "
                "player must own it: correct `players` of the game"
            )


def set_rates(
    optimizers: Mapping[str, Optimizer],
    settings: Mapping[str, OptimizerSettings],
    *,
    progress: Progress,
    constant_share: float,
) -> None:
    """Set every learning rate for the batch that is about to be shown."""
    factor = rate_factor(progress, constant_share=constant_share)
    for name, optimizer in optimizers.items():
        for group in optimizer.param_groups:
            _set_rate(group, settings[name].lr * factor)


def rate_factor(progress: Progress, *, constant_share: float) -> float:
    """Factor of the learning rate: 1 for the first `constant_share` of the images, then linearly to 0.

    `progress` counts the images shown *before* the batch, so the factor never is 0: the public code of
    this lineage trains its whole last epoch at rate 0.
    """
    if progress.fraction <= constant_share:
        return 1.0
    return (1 - progress.fraction) / (1 - constant_share)


def _build(player: nn.Module, settings: OptimizerSettings) -> Optimizer:
    trainable = [parameter for _, parameter in _trainable(player.named_parameters())]
    optimizer = KINDS[settings.kind](
        trainable,
        lr=settings.lr,
        betas=settings.betas,
        weight_decay=settings.weight_decay,
        fused=True,  # one kernel for all parameters, on processors too
    )
    suit_to_device(optimizer)
    return optimizer


def suit_to_device(optimizer: Optimizer) -> None:
    """Keep on the GPU what a recorded step (`graphs.py`) reads there; a checkpoint may come from a CPU."""
    for group in optimizer.param_groups:
        on_gpu = all(one.is_cuda for one in group["params"])
        group["capturable"] = on_gpu
        rate = float(group["lr"])
        group["lr"] = torch.full((), rate, device=group["params"][0].device) if on_gpu else rate


def _set_rate(group: dict[str, Any], rate: float) -> None:
    """Set the rate in its place: a recorded step reads it from there."""
    if isinstance(group["lr"], Tensor):
        group["lr"].fill_(rate)
    else:
        group["lr"] = rate


def _trainable(
    named: Iterable[tuple[str, nn.Parameter]],
) -> list[tuple[str, nn.Parameter]]:
    return [(name, parameter) for name, parameter in named if parameter.requires_grad]
