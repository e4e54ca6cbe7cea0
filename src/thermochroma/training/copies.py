"""Copies of a training's state: to put it back into the same memory, and to compare two of them."""

from collections.abc import Callable
from copy import deepcopy
from typing import Any

import torch
from torch import Tensor

from thermochroma.training.state import Training, random_state, set_random_state


def kept(training: Training) -> Callable[[], None]:
    """Copy everything that a step changes; returns what puts it back, into the same memory."""
    game = deepcopy(training.game.state_dict())
    average = deepcopy(training.average.translator.state_dict()) if training.average else {}
    moments = {
        (id(parameter), key): value.clone()
        for optimizer in training.optimizers.values()
        for parameter, state in optimizer.state.items()
        for key, value in state.items()
    }
    host, progress = random_state(), training.progress

    @torch.no_grad()
    def put_back() -> None:
        training.game.load_state_dict(game)
        if training.average:
            training.average.translator.load_state_dict(average)
        for optimizer in training.optimizers.values():
            optimizer.zero_grad(set_to_none=True)
            for parameter, state in optimizer.state.items():
                for key, value in state.items():
                    former = moments.get((id(parameter), key))
                    value.zero_() if former is None else value.copy_(former)
        set_random_state(host)
        training.progress = progress

    return put_back


def of_host(training: Training, draws: str) -> dict[str, Any]:
    """Values of the host: those in networks beside tensors, and random states but those of `draws`."""
    state = {
        name: _without_tensors(value)
        for name, value in training.game.state_dict().items()
        if not isinstance(value, Tensor)
    }
    random = {name: value for name, value in drawn().items() if name != draws}
    return deepcopy({"kept": state, "random": random})


def _without_tensors(value: Any) -> Any:
    """Lists, whose tensors are gone: only how many there are is the host's."""
    if isinstance(value, list):
        return [_without_tensors(one) for one in value]
    return None if isinstance(value, Tensor) else value


def drawn() -> dict[str, Any]:
    """States of all random numbers."""
    return random_state()


def distance(one: Any, other: Any) -> float:
    """Largest relative distance between the tensors of two states; infinite where anything else differs."""
    if isinstance(one, Tensor) and isinstance(other, Tensor):
        if one.shape != other.shape:
            return float("inf")
        if torch.equal(one, other):
            return 0.0
        length = float(one.double().norm())
        away = float((one.double() - other.double()).norm())
        return away / length if length > 0 and away < float("inf") else float("inf")
    if isinstance(one, dict) and isinstance(other, dict):
        if one.keys() != other.keys():
            return float("inf")
        return max((distance(one[key], other[key]) for key in one), default=0.0)
    if isinstance(one, list) and isinstance(other, list):
        if len(one) != len(other):
            return float("inf")
        return max(map(distance, one, other), default=0.0)
    return 0.0 if one == other else float("inf")
