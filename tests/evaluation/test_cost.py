"""What a translator costs: the count of multiply-adds against torch's own counter."""

import subprocess
import sys

import torch
from torch import nn
from torch.nn import functional as F
from torch.utils.flop_counter import FlopCounterMode

from thermochroma.contract.method import Translator
from thermochroma.evaluation.cost import multiply_adds

WITHOUT_COMPILER = """
import sys, torch
from thermochroma.evaluation.cost import multiply_adds
assert multiply_adds(torch.nn.Linear(2, 3), torch.ones(1, 2)) == 6
assert "torch._dynamo" not in sys.modules
"""


class _Mixed(Translator[torch.Tensor]):
    """Every kind of product that the methods have: strided and transposed convolution, lines, attention."""

    def __init__(self) -> None:
        super().__init__()
        self.down = nn.Conv2d(3, 8, 4, 2, 1, groups=1)
        self.deep = nn.Conv2d(8, 8, 3, padding=1, groups=8)
        self.up = nn.ConvTranspose2d(8, 4, 4, 2, 1)
        self.line = nn.Linear(16, 16)

    def forward(self, seen: torch.Tensor) -> torch.Tensor:
        found = self.deep(self.down(seen)).relu()
        tokens = self.line(self.up(found).flatten(2))[:, None]
        attended = F.scaled_dot_product_attention(tokens, tokens, tokens)
        return attended @ attended.transpose(-1, -2) + torch.einsum(
            "bhij,bhkj->bhik", tokens, tokens
        )


def test_multiply_adds_are_those_of_torch() -> None:
    network, seen = _Mixed().eval(), torch.randn(2, 3, 4, 4)
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        network(seen)
    assert multiply_adds(network, seen) == counter.get_total_flops() // 2 > 0


def test_counting_loads_no_compiler() -> None:
    subprocess.run([sys.executable, "-c", WITHOUT_COMPILER], check=True)
