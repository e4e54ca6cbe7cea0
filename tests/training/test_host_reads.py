"""Python reads no value of a tensor in a step: each read would wait for the GPU."""

import pytest

from tests.examiner import BLOCKS
from tests.host_reads import reads_of
from thermochroma.networks.frozen import FrozenNetworks


@pytest.mark.usefixtures("shallow")
@pytest.mark.parametrize("block", BLOCKS)
def test_a_step_waits_for_nothing(block: str, narrow_frozen: FrozenNetworks) -> None:
    assert reads_of(block, narrow_frozen) == {}
