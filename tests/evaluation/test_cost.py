"""What a translator costs: the count of multiply-adds against counts by hand."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from tests.examiner import TEXT_WIDTH, dummy_input, method_of, settings_of
from thermochroma.contract.method import Translator
from thermochroma.evaluation.cost import multiply_adds
from thermochroma.export.artifact import build_translator

ATTENTION = ("cmmf_net", "cmmf_net_no_interaction", "cmmf_net_no_text", "lkat_gan")


class _Only(Translator[Tensor]):
    """One operation."""

    def __init__(self, operation: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.operation = operation

    def forward(self, seen: Tensor) -> Tensor:
        return self.operation(seen)


def _weight(*shape: int) -> Tensor:
    return torch.ones(shape)


def _attention(tokens: Tensor, mask: Tensor | None = None) -> Tensor:
    return F.scaled_dot_product_attention(tokens, tokens[:, :, :5], tokens[:, :, :5, :3], mask)


# case: the shape of what is seen, the operation, and its multiply-adds by hand
CASES: dict[str, tuple[tuple[int, ...], Callable[[Tensor], Tensor], int]] = {
    "convolution": (
        (2, 8, 16, 16),
        lambda x: F.conv2d(x, _weight(4, 8, 3, 3), padding=1),
        (8 * 9) * (2 * 4 * 16 * 16),
    ),
    "strided": (
        (1, 8, 16, 16),
        lambda x: F.conv2d(x, _weight(4, 8, 4, 4), None, 2, 1),
        (8 * 16) * (4 * 8 * 8),
    ),
    "in groups": (
        (1, 8, 16, 16),
        lambda x: F.conv2d(x, _weight(4, 4, 3, 3), padding=1, groups=2),
        (4 * 9) * (4 * 16 * 16),
    ),
    "depthwise": (
        (1, 8, 16, 16),
        lambda x: F.conv2d(x, _weight(8, 1, 3, 3), padding=1, groups=8),
        9 * (8 * 16 * 16),
    ),
    "transposed": (  # each value that comes in is spread by the whole kernel
        (1, 8, 16, 16),
        lambda x: F.conv_transpose2d(x, _weight(8, 4, 4, 4), None, 2, 1),
        (4 * 16) * (8 * 16 * 16),
    ),
    "transposed in groups": (
        (1, 8, 16, 16),
        lambda x: F.conv_transpose2d(x, _weight(8, 2, 4, 4), None, 2, 1, 0, 2),
        (2 * 16) * (8 * 16 * 16),
    ),
    "line": ((2, 7, 5), lambda x: F.linear(x, _weight(3, 5), _weight(3)), 5 * (2 * 7 * 3)),
    "matrices": ((3, 4, 5), lambda x: x @ x.mT, 5 * (3 * 4 * 4)),
    "sum over indices": (
        (2, 3, 7, 8),
        lambda x: torch.einsum("bhij,bhkj->bhik", x, x),
        8 * (2 * 3 * 7 * 7),
    ),
    "attention": ((2, 4, 7, 8), _attention, (2 * 4 * 7 * 5) * (8 + 3)),
    "masked attention": (
        (2, 4, 7, 8),
        lambda x: _attention(x, torch.ones(7, 5, dtype=torch.bool)),
        (2 * 4 * 7 * 5) * (8 + 3),
    ),
    "fused attention": (
        (2, 4, 7, 8),
        lambda x: F.scaled_dot_product_attention(x, x, x),
        (2 * 4 * 7 * 7) * (8 + 8),
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_every_product_is_counted(case: str) -> None:
    shape, operation, count = CASES[case]
    assert multiply_adds(_Only(operation), torch.ones(shape)) == count


@pytest.mark.parametrize("block", ATTENTION)
def test_attention_counts_the_same_fused_or_not(block: str) -> None:
    """Torch has no formula for the fused kernel of processors, which therefore counted as nothing."""
    method = method_of(block)
    seen = dummy_input(method, height=64, width=64, count=1)
    network = build_translator(method, settings_of(block), scale=1 / 16, text_width=TEXT_WIDTH)
    with torch.nn.attention.sdpa_kernel(torch.nn.attention.SDPBackend.MATH):
        apart = multiply_adds(network.eval(), seen)
    assert multiply_adds(network, seen) == apart > 0
