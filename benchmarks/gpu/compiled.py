"""Training steps with the players' networks compiled in place."""

from functools import partial
from pathlib import Path
from typing import Any, Final

import torch
from torch import nn
from torch.nn.modules import module as all_modules

from benchmarks.gpu.begun import begun, made_batch, play_often
from benchmarks.gpu.form import Form
from benchmarks.gpu.steps import Play, seconds_of, speed
from benchmarks.gpu.worker import in_words
from thermochroma.base.device import choose_device
from thermochroma.networks.frozen import FrozenNetworks
from thermochroma.training.state import Training

RECOMPILED: Final = 64
"""Times that one function may be compiled, before it is run as it stands."""


def measure(block: str, form: Form, weights: Path, images: int) -> dict[str, Any]:
    """Speed of a step of so many images, in half precision; `refused` says why there is none."""
    device = choose_device()
    _forget_graphs()
    training = begun(block, form, FrozenNetworks(weights), device, half_precision=True)
    play = partial(play_often, training, made_batch(block, form, images, device))
    networks = called(training, play)
    for network in networks:
        network.compile(backend=form.compiler, dynamic=False)
    found: dict[str, Any] = {"images": images, "networks": len(networks)}
    try:  # blocks of one class share their code: each compiles it anew for its own shapes
        with torch._dynamo.config.patch(recompile_limit=RECOMPILED):
            found["compiling_seconds"] = seconds_of(play, 1, device)
            found |= speed(play, images, form, device)
    except Exception as problem:  # whatever the compiler raises is what the table says
        found["refused"] = in_words(problem)
    return found | graphs()


def _forget_graphs() -> None:
    """Those of another method in this process."""
    import torch._dynamo
    from torch._dynamo.utils import counters

    torch._dynamo.reset()
    counters.clear()


def graphs() -> dict[str, int]:
    """What the compiler says it has done so far: graphs, and places where a graph had to end."""
    from torch._dynamo.utils import counters

    return {
        "graphs": counters["stats"]["unique_graphs"],
        "graph_breaks": sum(counters["graph_break"].values()),
    }


def called(training: Training, play: Play) -> list[nn.Module]:
    """The players' outermost networks that a step calls: a game may go past a translator's `forward`."""
    of_players = {id(one) for player in training.players.values() for one in player.modules()}
    found: dict[int, nn.Module] = {}
    inside: list[int] = []

    def enter(network: nn.Module, _given: Any) -> None:
        if id(network) in of_players:
            if not inside:
                found[id(network)] = network
            inside.append(id(network))

    def leave(network: nn.Module, _given: Any, _found: Any) -> None:
        if inside and inside[-1] == id(network):
            inside.pop()

    hooks = [
        all_modules.register_module_forward_pre_hook(enter),
        all_modules.register_module_forward_hook(leave, always_call=True),
    ]
    try:
        play(1)
    finally:
        for hook in hooks:
            hook.remove()
    return list(found.values())
