"""The trainer's turns, looked at while it plays them: what reaches a player, what moves."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from unittest.mock import patch

import torch
from torch import Tensor
from torch.utils.hooks import RemovableHandle

from thermochroma.contract.method import Turn
from thermochroma.training import loop
from thermochroma.training.loop import play, trainable
from thermochroma.training.state import Training

Gradients = list[Tensor | None]
"""One for each parameter of a player that learns; None where the cost does not reach it."""
Look = Callable[[Turn], None]


@contextmanager
def steps_watched(*, before: Look, after: Look | None = None) -> Iterator[None]:
    """Call `before` and `after` around every step that the trainer takes in this context."""
    step = loop.step

    def watched_step(training: Training, turn: Turn) -> Any:
        before(turn)
        means = step(training, turn)
        if after is not None:
            after(turn)
        return means

    with patch.object(loop, "step", watched_step):
        yield


def watch_gradients(
    training: Training, look: Callable[[str, Gradients], None]
) -> list[RemovableHandle]:
    """Show `look` each player's gradients as they reach its optimizer, just before it steps."""

    def watch(name: str) -> Callable[..., None]:
        return lambda *_: look(name, [one.grad for one in trainable(training.players[name])])

    return [
        optimizer.register_step_pre_hook(watch(name))
        for name, optimizer in training.optimizers.items()
    ]


@dataclass
class Seen:
    """What one batch did. strays: "<player> outside turns" and "<player> in the turn of <other>"."""

    terms: set[str] = field(default_factory=set)
    reached: dict[str, int] = field(default_factory=dict)
    moved: dict[str, bool] = field(default_factory=dict)
    strays: list[str] = field(default_factory=list)


def turns_seen(training: Training, batch: Any) -> Seen:
    """Play one batch; every player's parameters are compared, bit by bit, around each step."""
    seen, places = Seen(), {name: set[int]() for name in training.players}
    kept = _copies(training)

    def before(turn: Turn) -> None:
        nonlocal kept
        seen.terms |= set(turn.terms)
        seen.strays += [f"{name} outside turns" for name in _moved(training, kept)]
        kept = _copies(training)

    def after(turn: Turn) -> None:
        nonlocal kept
        moved = _moved(training, kept)
        seen.moved[turn.player] = turn.player in moved
        strays = [name for name in moved if name != turn.player]
        seen.strays += [f"{name} in the turn of {turn.player}" for name in strays]
        kept = _copies(training)

    def reached(name: str, gradients: Gradients) -> None:
        places[name] |= {place for place, one in enumerate(gradients) if one is not None}

    watch_gradients(training, reached)
    with steps_watched(before=before, after=after):
        play(training, batch)
    seen.strays += [f"{name} outside turns" for name in _moved(training, kept)]
    seen.reached = {name: len(found) for name, found in places.items()}
    return seen


def _copies(training: Training) -> dict[str, list[Tensor]]:
    return {
        name: [one.detach().clone() for one in player.parameters()]
        for name, player in training.players.items()
    }


def _moved(training: Training, kept: dict[str, list[Tensor]]) -> list[str]:
    """The players of which any number is no longer what it was."""
    return [
        name
        for name, player in training.players.items()
        if not all(
            torch.equal(one, copy)
            for one, copy in zip(player.parameters(), kept[name], strict=True)
        )
    ]
