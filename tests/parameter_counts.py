"""What parameters each player should have, from sources apart from the networks.

`parameter_counts.json` composes every player of parts. A part `public_names/<method>` is what learns in
the authors' own state dict, as `public_weights` lists it; with `/<start>`, of the entries whose public
name starts so. Any other part lists the shapes of its tensors, or plain numbers, and says where they
come from: "2*64" is two tensors of 64 numbers.
"""

import json
from functools import cache
from math import prod
from pathlib import Path
from typing import Any

from thermochroma.pretrained.authors_checkpoints import entries_of

STORED = Path(__file__).with_name("parameter_counts.json")
NAMES = "public_names/"
NOT_LEARNT = (
    *("running_mean", "running_var", "num_batches_tracked"),  # PyTorch's norms
    *("moving_mean", "moving_variance"),  # Keras's
    *("weight_u", "weight_v"),  # vectors of spectral norms
)


def expected_counts(block: str) -> dict[str, int]:
    """How many parameters each player of a block should have."""
    players = _stored()["blocks"][block]
    return {
        player: sum(times * _count(part) for part, times in parts.items())
        for player, parts in players.items()
    }


def learnt_in_public(method: str, start: str = "") -> int:
    """How many numbers learn in the authors' translator, in entries whose name starts so."""
    return sum(
        prod(entry.shape)
        for entry in entries_of(method)
        if entry.public.startswith(start)
        and entry.public.rpartition(".")[2] not in NOT_LEARNT
        and not entry.note  # never called by their code, or fixed
    )


def count_of_shapes(shapes: str) -> int:
    """The numbers in tensors of these shapes: "64x3x7x7 2*64" has 64 * 3 * 7 * 7 + 2 * 64."""
    found = 0
    for shape in shapes.split():
        times, _, sides = shape.rpartition("*")
        found += int(times or 1) * prod(int(side) for side in sides.split("x"))
    return found


def _count(part: str) -> int:
    if part.startswith(NAMES):
        method, _, start = part.removeprefix(NAMES).partition("/")
        return learnt_in_public(method, start)
    return count_of_shapes(_stored()["parts"][part]["shapes"])


@cache
def _stored() -> dict[str, Any]:
    return json.loads(STORED.read_text())
