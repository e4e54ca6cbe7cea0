"""How far half precision turns gradients at full width, and how far rounding must, on a processor.

Three gradients of each player are set beside the one in float32, of the same drawn scenes: under autocast;
in float32 with rounded products (`tests/precision.py`); and in float32 with weights that were rounded to
bfloat16 once, and nothing else. Where the last one is turned, the method's own function is so steep at its
first weights. Minutes of one core and gigabytes for the large methods.

    python -m benchmarks.turned --weights data/weights lkat_gan scgan tir2lab
"""

import argparse
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, Final, NamedTuple

import torch
from torch import Tensor, nn

from benchmarks.gpu.begun import begun, drawn_batch
from benchmarks.gpu.form import FULL, Form
from tests.examiner import PROCESSOR, known_block
from tests.precision import COUNTS, Products, cosine, gradients_of
from thermochroma.networks.frozen import FrozenNetworks
from thermochroma.training.state import Training

HEAD: Final = (
    "| block | player | bf16 | rounded products | weights rounded once |\n|---|---|--:|--:|--:|\n"
)


class Turned(NamedTuple):
    """Cosines of a player's gradient with the one in float32."""

    half: float
    products: float
    weights: float


def turned(block: str, form: Form, frozen: FrozenNetworks) -> dict[str, Turned]:
    """By player, how far each of the three gradients is turned."""
    training = begun(block, form, frozen, PROCESSOR)
    batch = drawn_batch(block, form, COUNTS.get(block, 2), PROCESSOR)
    start = {name: _copied(value) for name, value in training.game.state_dict().items()}

    def gradients(*, half_precision: bool) -> dict[str, Tensor]:
        training.game.load_state_dict(start)  # statistics and histories as they were
        training.half_precision = half_precision
        return gradients_of(training, batch)

    whole, half = (gradients(half_precision=one) for one in (False, True))
    with Products():
        products = gradients(half_precision=True)
    training.game.load_state_dict(start)
    with rounded(training):
        weights = gradients_of(training, batch)
    others = (half, products, weights)
    return {
        player: Turned(*(cosine(each[player], one) for each in others))
        for player, one in whole.items()
    }


@contextmanager
def rounded(training: Training) -> Iterator[None]:
    """Let all weights, frozen ones too, be rounded to bfloat16, in float32 computations."""
    before = training.half_precision
    training.half_precision = False
    kept = [one.detach().clone() for one in training.game.parameters()]
    _set(training.game, [one.bfloat16().float() for one in kept])
    try:
        yield
    finally:
        _set(training.game, kept)
        training.half_precision = before


@torch.no_grad()
def _set(game: nn.Module, values: list[Tensor]) -> None:
    for parameter, value in zip(game.parameters(), values, strict=True):
        parameter.copy_(value)


def _copied(value: Any) -> Any:
    return value.detach().clone() if isinstance(value, Tensor) else value


def main() -> None:
    """Print the table, method by method."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("blocks", nargs="+", type=known_block)
    parser.add_argument("--weights", type=Path, required=True, help="data/weights of a project")
    parser.add_argument("--scale", type=float, default=FULL.scale, help="factor of every width")
    given = parser.parse_args()
    form = replace(FULL, scale=given.scale)
    sys.stdout.write(HEAD)
    for block in given.blocks:
        for player, one in turned(block, form, FrozenNetworks(given.weights)).items():
            cells = (f"`{block}`", player, *(f"{each:.3f}" for each in one))
            sys.stdout.write(f"| {' | '.join(cells)} |\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
