"""The training loop. It knows players, turns and terms, and neither "generator" nor "critic"."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn
from torch.optim import Optimizer

from thermochroma.base import whole_batch
from thermochroma.base.errors import BadInput
from thermochroma.base.tensors import at_least_float32
from thermochroma.base.whole_batch import Share, computing
from thermochroma.contract.batch import TrainingBatch
from thermochroma.contract.method import Progress, Turn
from thermochroma.training.finite import Moment, Note, What, all_finite
from thermochroma.training.state import Training

Readings = dict[str, Float[Tensor, ""]]
"""Mean of each term, by "player/term"."""


Watcher = Callable[[Training, int], None]
"""Callback after every batch, with the number of its images; it must not touch the random states."""

Play = Callable[[Training, TrainingBatch], Readings]
"""Function that trains on one batch and returns its readings: `play`, or one with the same numbers."""


def play_all(
    training: Training,
    batches: Iterable[tuple[TrainingBatch, Share]],
    watchers: Iterable[Watcher],
    play_one: Play | None = None,
) -> None:
    """Train on every batch; after each, note its readings and call the watchers.

    play_one: nothing is `play`.

    Raises BadInput for numbers that are not finite: at once on a processor; on a GPU at the next row of
    readings, before a checkpoint at the latest. No player was stepped with them.
    """
    watching = list(watchers)
    for batch, share in batches:
        with computing(share):
            readings = (play_one or play)(training, batch)
        shown = training.progress.images
        if training.metric_log.ends_row(images=share.of, shown=shown):
            training.checks.read()
        training.metric_log.note(readings, images=share.of, shown=shown)
        for watcher in watching:
            watcher(training, share.of)
    training.checks.read()


def play(training: Training, batch: TrainingBatch) -> Readings:
    """Train on one batch: play every turn, then move the average and the progress.

    With several processes `batch` is this one's share; gradients and readings are those of the whole.
    """
    begin(training, batch)
    readings = compute(training, batch, training.progress)
    training.advance(whole_batch.images(len(batch)))
    return whole_batch.means_of(readings)


def begin(training: Training, batch: TrainingBatch) -> None:
    """Prepare for one batch: what the host decides."""
    training.game.train()
    training.set_rates()
    training.checks.begin(Moment(batch.frames, training.progress.images))


def compute(training: Training, batch: TrainingBatch, progress: Progress) -> Readings:
    """Play every turn of one batch, then move the average: what the device computes."""
    readings: Readings = {}
    turns = training.game.turns(batch, progress)
    while (turn := next_turn(turns, training, batch)) is not None:
        means = step(training, turn)
        readings |= {f"{turn.player}/{name}": mean for name, mean in means.items()}
    training.move_average(whole_batch.images(len(batch)))
    return readings


def next_turn(turns: Iterator[Turn], training: Training, batch: TrainingBatch) -> Turn | None:
    """Compute the game's next turn, or None at the end, under an autocast region of its own.

    One region around several turns would go on using half-precision copies of weights that were
    stepped in between.
    """
    with torch.autocast(batch.device.type, torch.bfloat16, enabled=training.half_precision):
        return next(turns, None)


def step(training: Training, turn: Turn) -> Readings:
    """Differentiate the turn for its player's parameters only, step that player; the terms' means.

    With a term or gradient that is NaN or infinite nothing is stepped: raises BadInput, or notes the
    check where checks are deferred.
    """
    means = means_of(turn.terms)
    finite = torch.stack([*means.values()]).isfinite()
    training.checks.note(Note(finite, turn.player, _terms_of(turn)))
    parameters = trainable(training.players[turn.player])
    cost = whole_batch.part_of_mean(weigh(means, training.weights))
    gradients = torch.autograd.grad(cost, parameters, allow_unused=True)
    for parameter, gradient in zip(parameters, gradients, strict=True):
        parameter.grad = None if gradient is None else laid_out_as(parameter, gradient)
    found = [one.grad for one in parameters if one.grad is not None]
    broken = note_gradients(found, finite, turn, training)
    whole_batch.add_up([*found, broken])
    clip_norm = training.settings.optimizers[turn.player].clip_norm
    if clip_norm is not None:
        nn.utils.clip_grad_norm_(parameters, clip_norm)
    optimizer = training.optimizers[turn.player]
    if training.checks.defers:
        skip_where(broken, optimizer, turn, training)
    optimizer.step()
    optimizer.zero_grad(set_to_none=True)
    return {name: mean.detach() for name, mean in means.items()}


def skip_where(
    broken: Float[Tensor, ""],
    optimizer: Optimizer,
    turn: Turn,
    training: Training,
) -> None:
    """Let the optimizer's next step change nothing if a process has met numbers that are not finite.

    broken: their number, on the device; fused optimizers look there themselves.
    """
    optimizer.found_inf = (broken > 0).float()  # type: ignore[attr-defined]
    if (
        whole_batch.is_shared()
    ):  # that process tells more, if it is this one it has been noted before
        note = Note((broken == 0)[None], turn.player, lambda _: "numbers of another process")
        training.checks.note(note)


def note_gradients(
    gradients: Sequence[Tensor],
    finite: Bool[Tensor, " n"],
    turn: Turn,
    training: Training,
) -> Float[Tensor, ""]:
    """Note whether gradients are finite: a finite term can have one that is not, the square root of 0.

    Returns 1, on the device, if they or the terms (`finite`) are not, else 0.
    """
    fine = all_finite(gradients, may_wait=not training.checks.defers)
    try:
        training.checks.note(Note(fine[None], turn.player, _gradients_of(turn, training)))
    except BadInput:
        for parameter in training.players[turn.player].parameters():
            parameter.grad = None
        raise
    return (~(fine & finite.all())).float()


def laid_out_as(parameter: Tensor, gradient: Tensor) -> Tensor:
    """Gradient with the strides of its parameter.

    `torch.autograd.grad` returns gradients with the strides that the last operation gave them. Fused
    optimizers on a CPU read parameter, gradient and moments side by side in memory order, so that
    entries would be stepped by each other's gradients (torch 2.12; on CUDA they raise an error).
    """
    if gradient.stride() == parameter.stride():
        return gradient
    return torch.empty_like(parameter).copy_(gradient)


def means_of(terms: Mapping[str, Float[Tensor, " b"]]) -> Readings:
    """Mean of each term over the images, in single precision at least."""
    return {name: at_least_float32(term).mean() for name, term in terms.items()}


def weigh(means: Readings, weights: Mapping[str, float]) -> Float[Tensor, ""]:
    """Weighted sum of the terms' means over images. Raises BadInput for a term without a weight."""
    if missing := sorted(set(means) - set(weights)):
        raise BadInput(
            given=f"the terms {missing} have no weight",
            needed="a weight for every term of a turn, if only 0",
            remedy="add them under `weights` in the method's block of params.yaml",
        )
    return torch.stack([weights[name] * mean for name, mean in means.items()]).sum()


def trainable(player: nn.Module) -> list[nn.Parameter]:
    """Parameters of the player that require gradients."""
    return [parameter for parameter in player.parameters() if parameter.requires_grad]


def _terms_of(turn: Turn) -> What:
    names = list(turn.terms)
    return lambda finite: (
        f"the terms {[name for name, good in zip(names, finite, strict=True) if not good]}"
    )


def _gradients_of(turn: Turn, training: Training) -> What:
    names = [name for name in turn.terms if training.weights[name]]
    return lambda _: f"gradients of the terms {names}"
