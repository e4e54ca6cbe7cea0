"""Python reads few values of tensors in a step: each read waits for the GPU."""

import pytest

from tests.examiner import BLOCKS
from tests.host_reads import reads_of
from thermochroma.networks.frozen import FrozenNetworks

TRAINER = ("loop.refuse_gradients", "loop.refuse_not_finite")  # once in each turn
OWN = {
    "pearlgan": {"edges.lost_edges": 2},  # how many patches of each image hold an edge, by spectrum
    "thermal_mask": {"layout.Memory.forward": 4},  # how many layouts a memory holds
}


@pytest.mark.parametrize("block", BLOCKS)
def test_a_method_adds_no_reads_to_those_of_the_trainer(block: str, frozen: FrozenNetworks) -> None:
    found = reads_of(block, frozen)
    turns = found[TRAINER[0]]
    assert turns in (1, 2)
    assert found == dict.fromkeys(TRAINER, turns) | OWN.get(block, {})
