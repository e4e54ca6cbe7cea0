"""Golden values: what every term of a block costs, how hard it pulls, and what comes of it.

A reading begins a small training anew at each of the examiner's moments and plays one batch through the
trainer itself, so that nothing builds on more than one step of a player: Adam's first steps are signs
of gradients, and what rounding tips over grows from batch to batch (after three, to 20 % of a gradient).
It holds
- `<progress>/<player>/<term>`: the term's mean;
- `<progress>/<player>/<term>/pull`: the length of the player's gradient of that term alone, by its factor
  in the trainer's `weigh`; once for each term, where it first has a gradient;
- `<progress>/<player>/gradient`: the length of the gradient that reaches the player's optimizer, which must
  be the sum of the pulls;
- `<progress>/<player>/way`: how far the step moves the player;
- `image/size` and `image/mean`: root mean square and mean of the change that the first batch makes
  to the output of the deployed translator.

Forecasters are shallow (`shallow` in tests/examiner.py).

Rewrite some blocks' values, or all: python -m tests.golden [block ...]
How far this machine is from them, in tolerances: python -m tests.golden --distance [block ...]
How many changed weights they catch: python -m tests.golden --mutants [block ...]
"""

import argparse
import json
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import torch
from torch import Tensor

from tests.examiner import (
    BLOCKS,
    batch_of,
    begin,
    dummy_input,
    known_block,
    method_of,
    moments,
    shallow,
    side_of,
)
from tests.stand_ins import stand_ins
from tests.turns import Gradients, steps_watched, watch_gradients
from thermochroma.contract.method import Progress, Turn
from thermochroma.networks.frozen import FrozenNetworks
from thermochroma.training.loop import means_of, play, trainable, weigh
from thermochroma.training.state import Training

STORED = Path(__file__).with_name("golden.json")
Values = dict[str, float]
Form = Callable[[Training, Any], Any]
"""Changes a training, for instance its layout, and gives what it is shown in the same form."""

TOLERANCES: Final = {"mean": 0.01, "pull": 0.03, "gradient": 0.03, "way": 0.02, "image": 0.05}
"""By kind of value, relative to it; an image's values relative to its size. At least ten times the
largest difference that was measured (torch 2.12, one Xeon) from what is stored, in all blocks: with the
instructions of older processors (ATEN_CPU_CAPABILITY and ONEDNN_MAX_CPU_ISA: AVX2; default and SSE4.1),
channels last, in float64, on two threads. Left out is what draws other random numbers then: dropout in
channels last and float64, and the place of SCGAN's penalty in float64. Those differences were: means
6.4e-4 (of I2V-GAN's internal term, 1 - cosine; 4e-6 without it), pulls 2.1e-3, gradients 2.5e-3,
ways 1.4e-3, images 4.5e-3."""
LOOSER: Final = {("scgan", "pull"): 0.15, ("scgan", "gradient"): 0.15, ("scgan", "image"): 0.1}
"""SCGAN's deepest norms see two by two values at this side: measured were 7.5e-3, 1.2e-2 and 8e-3."""


@dataclass
class Reading:
    """What one block gives. slopes: lengths of gradients before they are weighed, by `.../<term>`."""

    weights: Mapping[str, float]
    values: Values = field(default_factory=dict)
    slopes: Values = field(default_factory=dict)

    @property
    def measured(self) -> set[str]:
        """The terms that have had a gradient."""
        return {place.rpartition("/")[2] for place in self.slopes}

    def weighed(self, weights: Mapping[str, float]) -> Values:
        """The values, pulls included, as they would be with these weights at each first turn."""
        pulls = {
            f"{place}/pull": factor(place.rpartition("/")[2], weights) * slope
            for place, slope in self.slopes.items()
        }
        return self.values | pulls


@dataclass
class Watch:
    """Writes down what happens while one batch is played."""

    training: Training
    label: str
    reading: Reading
    expected: Tensor | None = None
    stood: Tensor | None = None

    def before(self, turn: Turn) -> None:
        """Note the means of the turn's terms and, if one of them is new, the slopes of the new ones."""
        here, new = f"{self.label}/{turn.player}", turn.terms.keys() - self.reading.measured
        for name, term in turn.terms.items():
            self.reading.values[f"{here}/{name}"] = float(term.detach().mean())
        slopes = {name: self.slope(turn, name) for name in turn.terms} if new else {}
        for name in new:
            if length := float(slopes[name].norm()):
                self.reading.slopes[f"{here}/{name}"] = length
        weighed = [factor(name, self.training.weights) * one for name, one in slopes.items()]
        self.expected = torch.stack(weighed).sum(0) if new else None
        self.stood = self.standing(turn.player)

    def slope(self, turn: Turn, name: str) -> Tensor:
        """The player's gradient of one term as it is."""
        cost, parameters = (
            weigh(means_of({name: turn.terms[name]}), {name: 1.0}),
            self.learning(turn.player),
        )
        if not cost.requires_grad:
            return flat([None] * len(parameters), parameters)
        found = torch.autograd.grad(cost, parameters, allow_unused=True, retain_graph=True)
        return flat(found, parameters)

    def reached(self, player: str, gradients: Gradients) -> None:
        """Note how long the gradient is that reaches an optimizer."""
        whole = flat(gradients, self.learning(player))
        self.reading.values[f"{self.label}/{player}/gradient"] = float(whole.norm())
        shortened = self.training.settings.optimizers[player].clip_norm is not None
        if self.expected is not None and not shortened:
            off = (whole - self.expected).norm() / whole.norm()
            assert off < 1e-4, f"{player}'s gradient is not the sum of its terms' pulls"

    def after(self, turn: Turn) -> None:
        """Note how far the step went."""
        assert self.stood is not None
        way = self.standing(turn.player) - self.stood
        self.reading.values[f"{self.label}/{turn.player}/way"] = float(way.norm())

    def learning(self, player: str) -> list[torch.nn.Parameter]:
        """The player's parameters."""
        return trainable(self.training.players[player])

    def standing(self, player: str) -> Tensor:
        """Their numbers now."""
        return flat(self.learning(player), self.learning(player))


def as_it_is(training: Training, shown: Any) -> Any:
    """Change nothing."""
    return shown


def read(block: str, frozen: FrozenNetworks, form: Form = as_it_is) -> Reading:
    """What is found at every progress, and how the first batch changes what is predicted."""
    reading = Reading({})
    for seed, progress in enumerate(moments()):
        training = begin(block, frozen)
        batch, seen = form(training, batch_of(block, seed=seed)), form(training, seen_of(block))
        reading.weights = training.weights
        first = prediction(training, seen) if seed == 0 else None
        play_watched(training, batch, progress, Watch(training, str(progress.images), reading))
        if first is not None:
            reading.values |= changes(prediction(training, seen) - first)
    if reading.measured != set(reading.weights):  # some compare with a memory, which was empty
        again = Watch(training, f"{progress.images} again", reading)
        play_watched(training, batch, progress, again)
    return reading


def play_watched(training: Training, batch: Any, progress: Progress, watch: Watch) -> None:
    """Play one batch at a progress."""
    handles = watch_gradients(training, watch.reached)
    training.progress = progress
    with steps_watched(before=watch.before, after=watch.after):
        play(training, batch)
    for handle in handles:
        handle.remove()


def factor(name: str, weights: Mapping[str, float]) -> float:
    """What the trainer multiplies a term's mean by."""
    return float(weigh({name: torch.ones((), dtype=torch.float64)}, weights))


def flat(tensors: Sequence[Tensor | None], like: Sequence[Tensor]) -> Tensor:
    """One long vector in float64; 0 where there is nothing."""
    return torch.cat(
        [
            (torch.zeros_like(one) if tensor is None else tensor.detach()).double().flatten()
            for tensor, one in zip(tensors, like, strict=True)
        ]
    )


def seen_of(block: str) -> Any:
    """What the translator is shown, before and after."""
    method = method_of(block)
    return dummy_input(method, height=side_of(method), width=side_of(method), seed=2)


def prediction(training: Training, seen: Any) -> Tensor:
    """Output of the translator that would be deployed now, in double precision."""
    with torch.no_grad():
        return training.deployed.eval()(seen).double()


def changes(change: Tensor) -> Values:
    """Root mean square and mean."""
    return {
        "image/size": float(change.square().mean().sqrt()),
        "image/mean": float(change.mean()),
    }


def distances(block: str, found: Values, wanted: Values) -> dict[str, float]:
    """How far each value is from the one that is wanted, in tolerances; above 1 it is another."""
    away = dict.fromkeys(found.keys() ^ wanted.keys(), torch.inf)
    for name in found.keys() & wanted.keys():
        kind = kind_of(name)
        scale = abs(wanted["image/size" if kind == "image" else name])
        most = scale * LOOSER.get((block, kind), TOLERANCES[kind])
        difference = abs(found[name] - wanted[name])
        if difference == 0:
            away[name] = 0.0
        else:
            away[name] = difference / most if most else torch.inf
    return away


def kind_of(name: str) -> str:
    """Of a value, by its name."""
    first, last = name.split("/")[0], name.rpartition("/")[2]
    if first == "image":
        return first
    return last if last in TOLERANCES else "mean"


def stored() -> dict[str, Values]:
    return json.loads(STORED.read_text())


def text_of(values: Mapping[str, Values]) -> str:
    """The file of these values, in one order: that of terms and pulls differs from run to run."""
    return json.dumps(values, indent=2, sort_keys=True) + "\n"


def _rewrite(block: str, reading: Reading) -> str:
    whole = stored() if STORED.exists() else {}
    found = reading.weighed(reading.weights)
    whole[block] = {name: float(f"{value:.6g}") for name, value in found.items()}
    STORED.write_text(text_of(whole))
    return f"{len(found)} values"


def _distance(block: str, reading: Reading) -> str:
    away = distances(block, reading.weighed(reading.weights), stored()[block])
    worst: dict[str, float] = {}
    for name, distance in away.items():
        worst[kind_of(name)] = max(distance, worst.get(kind_of(name), 0.0))
    return ", ".join(f"{kind} {distance:.2g}" for kind, distance in sorted(worst.items()))


def _mutants(block: str, reading: Reading) -> str:
    from tests import mutants

    lost, count = mutants.escaped(block, reading, stored()[block]), mutants.count(reading)
    return " ".join([f"{count - len(lost)} of {count} mutants are caught", *lost])


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("blocks", nargs="*", type=known_block, default=BLOCKS)
    parser.add_argument("--distance", dest="say", action="store_const", const=_distance)
    parser.add_argument("--mutants", dest="say", action="store_const", const=_mutants)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, shallow():
        stand_ins(Path(folder))
        for block in given.blocks:
            say = given.say or _rewrite
            sys.stdout.write(f"{block}: {say(block, read(block, FrozenNetworks(Path(folder))))}\n")
            sys.stdout.flush()


if __name__ == "__main__":
    main()
