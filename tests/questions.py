"""Questions of the examination that a GPU is asked too: each answers with its faults, in words."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import torch
from torch import Tensor, nn

from tests.examiner import PROCESSOR, batch_of, begin, method_of, moments, moved
from tests.turns import turns_seen
from thermochroma.contract.batch import Batch
from thermochroma.contract.method import Pairing
from thermochroma.losses.pixel import absolute
from thermochroma.networks.frozen import FrozenNetworks
from thermochroma.training import checkpoint
from thermochroma.training.loop import play, trainable
from thermochroma.training.state import Training

CYCLES: Final = ("cycle", "recycle")  # names of terms that measure a way there and back


def out_of_turn(block: str, frozen: FrozenNetworks, device: torch.device = PROCESSOR) -> list[str]:
    """What a turn moves of other players, or leaves of its own; and weights that no term has."""
    used: set[str] = set()
    faults = []
    for progress in moments():
        training = begin(block, frozen, device=device)
        training.progress = progress
        seen = turns_seen(training, moved(batch_of(block), device))
        used |= seen.terms
        faults += [f"moved out of turn: {stray}" for stray in seen.strays]
        for name, player in training.players.items():
            if seen.reached[name] != len(trainable(player)):
                faults.append(f"{name} is not reached whole")
            if not seen.moved[name]:
                faults.append(f"{name} is not moved by its turn")
        odd = sorted(seen.terms - set(training.weights))
        faults += [f"the term {name} has no weight" for name in odd]
    return faults + [f"the weight {name} is never used" for name in set(training.weights) - used]


def unlearnt(block: str, frozen: FrozenNetworks, device: torch.device = PROCESSOR) -> list[str]:
    """Whether one image cannot be learnt by heart, in words; nothing if it can."""
    method = method_of(block)
    # Round a cycle is a longer way, but a step with three frames, or with edges, goes further.
    steps = 120 if method.pairing is Pairing.UNALIGNED and method.trains_on is Batch else 40
    training = begin(block, frozen, images=2 * steps, device=device)
    _hurry(training, lr=2e-3)
    batch = moved(_easy(batch_of(block, count=1)), device)
    enough = 0.6 * _distance(training, batch, method.pairing)
    for step in range(1, steps + 1):
        play(training, batch)
        if step % 4 == 0 and _distance(training, batch, method.pairing) < enough:
            return []
    return [f"after {steps} steps it is still further away than {enough:.3g}"]


def resumed_otherwise(
    block: str, frozen: FrozenNetworks, device: torch.device = PROCESSOR
) -> list[str]:
    """Entries of the state that two steps, a checkpoint and one step leave unlike three steps."""
    batches = [moved(batch_of(block, seed=seed), device) for seed in range(3)]
    straight = begin(block, frozen, device=device)
    for batch in batches[:2]:
        play(straight, batch)
    resumed = begin(block, frozen, seed=1, device=device)  # other weights, other random state
    with TemporaryDirectory() as folder:
        checkpoint.save(straight, Path(folder), fingerprint="m")
        play(straight, batches[2])
        undisturbed = straight.state_dict()
        if not checkpoint.resume(resumed, Path(folder), fingerprint="m"):
            return ["the checkpoint is not found"]
    play(resumed, batches[2])
    found = resumed.state_dict()
    for state in (found, undisturbed):
        del state["random"]["python"]  # drawn from by beartype, which executes the types in tests
    return [f"{name} differs by {far:.2g}" for name, far in _unlike(found, undisturbed, "state")]


QUESTIONS: Final[Mapping[int, Callable[[str, FrozenNetworks, torch.device], list[str]]]] = {
    5: out_of_turn,
    8: unlearnt,
    9: resumed_otherwise,
}
"""By their numbers in the examination."""


def _hurry(training: Training, *, lr: float) -> None:
    """The papers' rates are for hundreds of thousands of steps, not for forty.

    Critics keep theirs: at such a rate they change faster than a translator can follow.
    """
    learning = next(iter(training.translator.parameters()))
    hurried = {
        name: one.model_copy(update={"lr": lr})
        if any(parameter is learning for parameter in training.players[name].parameters())
        else one
        for name, one in training.settings.optimizers.items()
    }
    training.settings = training.settings.model_copy(update={"optimizers": hurried})


def _easy(batch: Any) -> Any:
    """The same with smooth images to predict, of a cast that is far from where a method begins."""
    output = ("target",) if isinstance(batch, Batch) else ("thermal", "visible")
    return replace(batch, **{name: _smooth(getattr(batch, name)) for name in output})


def _smooth(images: Tensor) -> Tensor:
    flat = images.flatten(0, -4)  # frames of a triplet are images like others
    smooth = nn.functional.avg_pool2d(flat, 31, 1, 15)
    cast = torch.tensor([0.6, 0.3, 0.1])[: flat.shape[1]].view(-1, 1, 1)
    return (cast + 0.4 * smooth / smooth.abs().max()).view_as(images)


def _distance(training: Training, batch: Any, pairing: Pairing) -> float:
    """How far from knowing the image by heart: to the target, or round the cycle if unpaired."""
    if pairing is Pairing.ALIGNED:
        with torch.no_grad():
            return float(absolute(training.translator.train()(batch.seen), batch.target).mean())
    turn = next(iter(training.game.turns(batch, training.progress)))
    cycles = [term.detach() for name, term in turn.terms.items() if name.startswith(CYCLES)]
    return float(torch.stack(cycles).mean())


def _unlike(one: object, other: object, name: str) -> list[tuple[str, float]]:
    """Entries that are not the same bits, and how far they are apart; those of another form, infinitely."""
    if type(one) is not type(other):
        return [(name, float("inf"))]
    if isinstance(one, dict) and isinstance(other, dict):
        if one.keys() != other.keys():
            return [(name, float("inf"))]
        return [far for key in one for far in _unlike(one[key], other[key], f"{name}.{key}")]
    if isinstance(one, list | tuple) and isinstance(other, list | tuple):
        if len(one) != len(other):
            return [(name, float("inf"))]
        pairs = enumerate(zip(one, other, strict=True))
        return [far for place, pair in pairs for far in _unlike(*pair, f"{name}.{place}")]
    if isinstance(one, Tensor) and isinstance(other, Tensor):
        one, other = one.cpu(), other.cpu()  # a pool that was read lies there until it is used
        if torch.equal(one, other):
            return []
        alike = one.shape == other.shape
        return [
            (name, float((one.double() - other.double()).abs().max()) if alike else float("inf"))
        ]
    return [] if one == other else [(name, float("inf"))]
