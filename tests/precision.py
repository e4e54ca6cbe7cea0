"""Half precision: how far it turns each player's gradient, and how far it must.

bfloat16 keeps 8 bits of a number. Where a layer's factors and results are rounded so, rectifiers near 0
and signs of small differences flip, and gradients turn; the more, the more layers they pass. That much
is what half precision costs, and no defect of ours. So the gradients of a third computation are set
beside: in float32, but for the factors and results of those products that autocast takes in bfloat16.

Forecasters are shallow (`shallow` in tests/examiner.py).

Print all angles' cosines: python -m tests.precision [block ...]
"""

import argparse
import sys
import tempfile
from collections.abc import Callable
from math import acos
from pathlib import Path
from typing import Any, Final, NamedTuple

import torch
from torch import Tensor
from torch.nn import functional as F
from torch.overrides import TorchFunctionMode

from tests.examiner import BLOCKS, batch_of, begin, known_block, shallow
from tests.stand_ins import stand_ins
from thermochroma.networks.frozen import FrozenNetworks
from thermochroma.training.loop import means_of, next_turn, trainable, weigh
from thermochroma.training.state import Training, seed_everything

ENOUGH: Final = 0.99
"""Cosine with float32's gradient, above which nothing need be explained."""
WIDER: Final = 1.5
"""How many times an angle may be what it was when measured, or what rounding alone makes it."""
COUNTS: Final = {"scgan": 4}
"""Images in a batch where two are too few: SCGAN's deepest norms see two by two places of each, and
with eight values some channel hardly varies; the cosine is then anything from 0.66 to 0.97, with rounding
alone as well. With 16 values it is 0.998."""

LONG_WAY: Final = "there and back again: gradients pass two or three networks of many layers"
NOISE: Final = (
    "differences and features of made-up noise, whose signs and rectifiers flip when rounded"
)
CANCELS: Final = (
    "what is real and what is fake pull in nearly opposite directions; each alone has above 0.997"
)
BELOW: Final = {
    ("cmmf_net", "translator"): (0.984, NOISE),
    ("cmmf_net_no_interaction", "translator"): (0.979, NOISE),
    ("cmmf_net_no_text", "translator"): (0.985, NOISE),
    ("cyclegan", "translators"): (0.928, LONG_WAY),
    ("i2v_gan", "translators"): (0.677, LONG_WAY),
    ("lkat_gan", "critic"): (0.990, CANCELS),
    ("lkat_gan", "translator"): (0.916, NOISE),
    ("pearlgan", "translators"): (0.969, LONG_WAY),
    ("pix2pix", "translator"): (0.988, NOISE),
    ("recycle_gan", "translators"): (0.827, LONG_WAY),
    ("thermal_mask", "translators"): (0.961, LONG_WAY),
    ("tic_cgan", "critic"): (0.989, CANCELS),
    ("tic_cgan", "translator"): (0.953, NOISE),
}
"""The cosines that are lower, as measured, and why; each is held to be due to rounding alone as well."""

PRODUCTS: Final = {
    *(torch.conv2d, torch.conv_transpose2d, torch.matmul, torch.bmm),
    *(F.linear, F.scaled_dot_product_attention),
    *(Tensor.matmul, Tensor.__matmul__, Tensor.bmm),
}


class Products(TorchFunctionMode):
    """Takes products in float32, their factors and results rounded, where autocast takes bfloat16."""

    def __torch_function__(
        self, func: Callable[..., Any], types: Any, args: Any = (), kwargs: Any = None
    ) -> Any:
        named = kwargs or {}
        if func not in PRODUCTS or not torch.is_autocast_enabled("cpu"):
            return func(*args, **named)
        with torch.autocast("cpu", enabled=False):
            return _rounded(
                func(*map(_rounded, args), **{name: _rounded(one) for name, one in named.items()})
            )


class EqualMasks(TorchFunctionMode):
    """Draws the masks of dropout in float32, whatever is dropped.

    A GPU's kernel hands its random numbers out in vectors of 16 bytes, so that in half precision other
    values are dropped than in float32, from the same seed. Such gradients differ by their masks: those of
    TIR2Lab, which drops half of its values before each of its last four convolutions, have a cosine of
    0.79 in float32 too.
    """

    def __torch_function__(
        self, func: Callable[..., Any], types: Any, args: Any = (), kwargs: Any = None
    ) -> Any:
        named = kwargs or {}
        if func is not F.dropout:
            return func(*args, **named)
        (x,) = args
        mask = F.dropout(torch.ones_like(x, dtype=torch.float32), named["p"], named["training"])
        return (x * mask).to(x.dtype)


class Turned(NamedTuple):
    """Cosines with the gradient in float32: of the trainer's half precision, of rounded products.

    The latter is worked out only where something must be explained.
    """

    half: float
    rounded: float | None


def gradients(block: str, frozen: FrozenNetworks, *, half_precision: bool) -> dict[str, Tensor]:
    """Each player's gradient in its turn of the first batch, laid out flat; nothing is stepped."""
    training = begin(block, frozen)
    training.half_precision = half_precision
    return gradients_of(training, batch_of(block, count=COUNTS.get(block, 2)))


def gradients_of(training: Training, batch: Any) -> dict[str, Tensor]:
    """The same of a training that has begun, on the device where it is, with the same masks each time."""
    training.game.train()
    seed_everything(7)
    found: dict[str, Tensor] = {}
    turns = training.game.turns(batch, training.progress)
    with EqualMasks():
        while (turn := next_turn(turns, training, batch)) is not None:
            parameters = trainable(training.players[turn.player])
            cost = weigh(means_of(turn.terms), training.weights)
            parts = torch.autograd.grad(cost, parameters, allow_unused=True)
            flat = [one.flatten().double() for one in parts if one is not None]
            found[turn.player] = torch.cat(flat)
    return found


def turned(block: str, frozen: FrozenNetworks) -> dict[str, Turned]:
    """How far each player's gradient is turned."""
    whole = gradients(block, frozen, half_precision=False)
    half = gradients(block, frozen, half_precision=True)
    cosines = {name: cosine(half[name], whole[name]) for name in whole}
    if not any(near <= ENOUGH or (block, name) in BELOW for name, near in cosines.items()):
        return {name: Turned(near, None) for name, near in cosines.items()}
    with Products():
        rounded = gradients(block, frozen, half_precision=True)
    return {
        name: Turned(near, cosine(rounded[name], whole[name])) for name, near in cosines.items()
    }


def faults(block: str, frozen: FrozenNetworks) -> list[str]:
    """The players whose gradients are turned too far."""
    found = []
    for player, (half, rounded) in turned(block, frozen).items():
        if half > ENOUGH:
            continue
        usual, _ = BELOW.get((block, player), (1.0, ""))
        if acos(half) > WIDER * acos(usual):
            found.append(f"{player}: cosine {half:.4f}, usually {usual:.3f}")
        if rounded is not None and acos(half) > WIDER * acos(rounded):
            found.append(f"{player}: cosine {half:.4f}, by rounded products alone {rounded:.4f}")
    return found


def _rounded(value: Any) -> Any:
    """A tensor in float32 that has bfloat16's precision; anything else as it is."""
    if isinstance(value, Tensor) and value.dtype in (torch.float32, torch.bfloat16):
        return value.bfloat16().float()
    return value


def cosine(one: Tensor, other: Tensor) -> float:
    """Of the angle between two gradients."""
    return min(1.0, float(torch.cosine_similarity(one, other, dim=0)))


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("blocks", nargs="*", type=known_block, default=BLOCKS)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, shallow():
        stand_ins(Path(folder))
        for block in given.blocks:
            for player, (half, rounded) in turned(block, FrozenNetworks(Path(folder))).items():
                beside = "" if rounded is None else f", by rounded products alone {rounded:.5f}"
                sys.stdout.write(f"{block} {player} {half:.5f}{beside}\n")
            sys.stdout.flush()


if __name__ == "__main__":
    main()
