"""What I2V-GAN's translators cost in one turn, with features tapped on the way and in the literal order.

The literal order encodes every frame anew for every comparison, as the authors' code does: 24 passes of an
encoder a turn instead of 8. Both must give the same terms and gradients.

    python -m benchmarks.i2v --params params.yaml --weights data/weights --scale 0.25 --side 128
"""

import statistics
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Final

import torch
from torch import Tensor

from stages.command import run
from thermochroma.config.params import read_params
from thermochroma.contract.batch import Triplets
from thermochroma.contract.method import Progress, load_method
from thermochroma.export.artifact import build_translator
from thermochroma.methods.i2v_gan import I2vGame, Journey
from thermochroma.networks.blocks import spread_channels
from thermochroma.networks.frozen import FrozenNetworks
from thermochroma.training.loop import means_of, trainable, weigh
from thermochroma.training.state import seed_everything

BLOCK: Final = "i2v_gan"
ROUNDS: Final = 5
START: Final = Progress(images=0, of=1)

Terms = Mapping[str, Tensor]


def main(params: Path, weights: Path, scale: float, side: int) -> None:
    """Prints seconds of processor time of a turn forward and backward, both ways, and the difference."""
    seed_everything(0)
    settings = read_params(params).method(BLOCK)
    method = load_method(settings.method)
    translator = build_translator(method, settings, scale=scale, text_width=0)
    game = method.game(
        translator=translator,
        scale=scale,
        frozen=FrozenNetworks(weights),
        **settings.game.model_dump(),
    )
    assert isinstance(game, I2vGame)
    thermal, visible = (torch.rand(1, 3, c, side, side) * 2 - 1 for c in (1, 3))
    batch = Triplets(thermal, visible, ("made-up",))
    factors = settings.weights.model_dump()

    def turn(terms_of: Callable[[], Terms]) -> tuple[float, list[Tensor]]:
        seed_everything(1)  # the same places
        start = time.process_time()
        cost = weigh(means_of(terms_of()), factors)
        found = torch.autograd.grad(cost, trainable(game.players()["translators"]))
        return time.process_time() - start, list(found)

    ways = {
        "tapped": lambda: next(iter(game.turns(batch, START))).terms,
        "literal": lambda: literal(game, batch),
    }
    gap = _gap(turn(ways["tapped"])[1], turn(ways["literal"])[1])
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(ROUNDS):
        for name, way in ways.items():
            seconds[name].append(turn(way)[0])
    tapped, plain = (statistics.median(seconds[name]) for name in ways)
    sys.stdout.write(
        f"scale {scale}, {side} pixels, one triplet, median of {ROUNDS}: tapped {tapped:.2f} s, "
        f"literal {plain:.2f} s, ratio {tapped / plain:.2f}; gradients differ by {gap:.1e} of their norm\n"
    )


def literal(game: I2vGame, batch: Triplets) -> Terms:
    """The terms of the translators' turn, every comparison with encoder passes of its own."""
    thermal = [spread_channels(frame, 3) for frame in batch.thermal.unbind(1)]
    visible = list(batch.visible.unbind(1))
    terms: dict[str, Tensor] = {}
    for frames, home, abroad in ((thermal, "thermal", "visible"), (visible, "visible", "thermal")):
        journey = _travel(game, frames, home, abroad)
        terms |= game.plain_terms(abroad, journey)
        terms[f"external_{abroad}"] = game.external(abroad, _encoded(game, journey, abroad))
        terms[f"internal_{abroad}"] = game.internal(abroad, _encoded(game, journey, abroad))
    return terms


def _travel(game: I2vGame, frames: list[Tensor], home: str, abroad: str) -> Journey:
    predictor = game.into(abroad)
    first, second = predictor(torch.cat(frames[:2])).chunk(2)
    fakes = [first, second, game.forecasters[abroad](torch.cat([first, second], dim=1))]
    back = list(game.into(home)(torch.cat(fakes)).chunk(3))
    expected = game.forecasters[home](torch.cat(frames[:2], dim=1))
    return Journey(frames, fakes, back, expected, known=[], found=[])


def _encoded(game: I2vGame, journey: Journey, abroad: str) -> Journey:
    encode = game.into(abroad).encode
    with torch.no_grad():
        known = [encode(frame) for frame in journey.true]
    return replace(journey, known=known, found=[encode(fake) for fake in journey.fakes])


def _gap(one: list[Tensor], other: list[Tensor]) -> float:
    mine, yours = (torch.cat([each.flatten() for each in some]) for some in (one, other))
    return float((mine - yours).norm() / mine.norm())


if __name__ == "__main__":
    run(main)
