"""The training loop. It knows players, turns and terms, and neither "generator" nor "critic"."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from math import inf

import torch
from jaxtyping import Float
from torch import Tensor, nn

from thermochroma.base import whole_batch
from thermochroma.base.errors import BadInput
from thermochroma.base.tensors import at_least_float32
from thermochroma.base.whole_batch import Share, computing
from thermochroma.contract.batch import TrainingBatch
from thermochroma.contract.method import Turn
from thermochroma.training.state import Training

Readings = dict[str, Float[Tensor, ""]]
"""Mean of each term, by "player/term"."""


Watcher = Callable[[Training, int], None]
"""Callback after every batch, with the number of its images; it must not touch the random states."""


def play_all(
    training: Training,
    batches: Iterable[tuple[TrainingBatch, Share]],
    watchers: Iterable[Watcher],
) -> None:
    """Train on every batch; after each, note its readings and call the watchers."""
    watching = list(watchers)
    for batch, share in batches:
        with computing(share):
            readings = play(training, batch)
        training.metric_log.note(readings, images=share.of, shown=training.progress.images)
        for watcher in watching:
            watcher(training, share.of)


def play(training: Training, batch: TrainingBatch) -> Readings:
    """Train on one batch: play every turn, then move the average and the progress.

    With several processes `batch` is this one's share; gradients and readings are those of the whole.
    """
    training.game.train()
    training.set_rates()
    readings: Readings = {}
    turns = training.game.turns(batch, training.progress)
    while (turn := next_turn(turns, training, batch)) is not None:
        step(training, turn, batch)
        readings |= {f"{turn.player}/{name}": term.mean() for name, term in turn.terms.items()}
    training.advance(whole_batch.images(len(batch)))
    return whole_batch.means_of(readings)


def next_turn(turns: Iterator[Turn], training: Training, batch: TrainingBatch) -> Turn | None:
    """Compute the game's next turn, or None at the end, under an autocast region of its own.

    One region around several turns would go on using half-precision copies of weights that were
    stepped in between.
    """
    with torch.autocast(batch.device.type, torch.bfloat16, enabled=training.half_precision):
        turn = next(turns, None)
    if turn is not None:
        refuse_not_finite(turn, batch, training)
    return turn


def step(training: Training, turn: Turn, batch: TrainingBatch) -> None:
    """Differentiate the turn for its player's parameters only, and step that player.

    Raises BadInput, with nothing stepped, for a gradient that is NaN or infinite.
    """
    parameters = trainable(training.players[turn.player])
    cost = whole_batch.part_of_mean(weigh(turn.terms, training.weights))
    gradients = torch.autograd.grad(cost, parameters, allow_unused=True)
    for parameter, gradient in zip(parameters, gradients, strict=True):
        parameter.grad = None if gradient is None else laid_out_as(parameter, gradient)
    refuse_gradients(parameters, turn, batch, training)
    whole_batch.add_up([one.grad for one in parameters if one.grad is not None])
    clip_norm = training.settings.optimizers[turn.player].clip_norm
    if clip_norm is not None:
        nn.utils.clip_grad_norm_(parameters, clip_norm)
    optimizer = training.optimizers[turn.player]
    optimizer.step()
    optimizer.zero_grad(set_to_none=True)


def laid_out_as(parameter: Tensor, gradient: Tensor) -> Tensor:
    """Gradient with the strides of its parameter.

    `torch.autograd.grad` returns gradients with the strides that the last operation gave them. Fused
    optimizers on a CPU read parameter, gradient and moments side by side in memory order, so that
    entries would be stepped by each other's gradients (torch 2.12; on CUDA they raise an error).
    """
    if gradient.stride() == parameter.stride():
        return gradient
    return torch.empty_like(parameter).copy_(gradient)


def weigh(
    terms: Mapping[str, Float[Tensor, " b"]], weights: Mapping[str, float]
) -> Float[Tensor, ""]:
    """Weighted sum of the terms' means over images. Raises BadInput for a term without a weight."""
    if missing := sorted(set(terms) - set(weights)):
        raise BadInput(
            given=f"the terms {missing} have no weight",
            needed="a weight for every term of a turn, if only 0",
            remedy="add them under `weights` in the method's block of params.yaml",
        )
    means = [weights[name] * at_least_float32(term).mean() for name, term in terms.items()]
    return torch.stack(means).sum()


def trainable(player: nn.Module) -> list[nn.Parameter]:
    """Parameters of the player that require gradients."""
    return [parameter for parameter in player.parameters() if parameter.requires_grad]


def refuse_not_finite(turn: Turn, batch: TrainingBatch, training: Training) -> None:
    """Raise BadInput, before anything is stepped, if a term is NaN or infinite."""
    names = list(turn.terms)
    finite = torch.stack([term.isfinite().all() for term in turn.terms.values()]).tolist()
    if all(finite):
        return
    broken = [name for name, good in zip(names, finite, strict=True) if not good]
    raise _not_finite(f"the terms {broken}", turn, batch, training)


def refuse_gradients(
    parameters: Sequence[nn.Parameter], turn: Turn, batch: TrainingBatch, training: Training
) -> None:
    """Raise BadInput, before anything is stepped, if a gradient is NaN or infinite.

    A finite term can have one: the square root of 0.
    """
    found = [parameter.grad for parameter in parameters if parameter.grad is not None]
    if not nn.utils.get_total_norm(found, norm_type=inf).isfinite():
        for parameter in parameters:
            parameter.grad = None
        terms = [name for name in turn.terms if training.weights[name]]
        raise _not_finite(f"gradients of the terms {terms}", turn, batch, training)


def _not_finite(what: str, turn: Turn, batch: TrainingBatch, training: Training) -> BadInput:
    return BadInput(
        given=f"after {training.progress.images} images, in the turn of `{turn.player}`, {what} "
        f"are not finite on the frames {', '.join(batch.frames)}",
        needed=f"finite numbers; `{turn.player}` was not stepped, and the last checkpoint is unchanged",
        remedy="lower the learning rate, set `clip_norm`, or look at those frames",
    )
