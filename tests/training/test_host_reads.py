"""Python reads few values of tensors in a step: each read waits for the GPU."""

import pytest

from tests.examiner import BLOCKS
from tests.host_reads import reads_of
from thermochroma.networks.frozen import FrozenNetworks

OWN = {
    "pearlgan": {"edges.lost_edges": 2},  # how many patches of each image hold an edge, by spectrum
    "thermal_mask": {"layout.Memory.forward": 4},  # how many layouts a memory holds
}


@pytest.mark.parametrize("block", BLOCKS)
def test_a_step_waits_for_nothing_but_what_a_method_must_know(
    block: str, frozen: FrozenNetworks
) -> None:
    assert reads_of(block, frozen) == OWN.get(block, {})
