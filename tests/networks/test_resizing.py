"""Bilinear resizing by matrices is torch's own, values and gradients."""

import pytest
import torch
import torch.nn.functional as F

from thermochroma.networks.resizing import bilinear, by_matrices


@pytest.mark.parametrize("size", [(16, 12), (32, 24), (5, 9), (8, 6), (11, 6)])
def test_products_with_matrices_are_the_same(size: tuple[int, int]) -> None:
    torch.manual_seed(0)
    x = torch.randn(2, 3, 8, 6, requires_grad=True)
    pull = torch.randn(2, 3, *size)
    found, wanted = by_matrices(x, size), F.interpolate(x, size=size, mode="bilinear")
    torch.testing.assert_close(found, wanted)
    slopes = [torch.autograd.grad((one * pull).sum(), x)[0] for one in (found, wanted)]
    torch.testing.assert_close(*slopes)


def test_on_a_processor_it_is_torchs_own_to_the_bit_and_in_its_precision() -> None:
    x = torch.randn(1, 2, 4, 4)
    assert torch.equal(bilinear(x, (8, 8)), F.interpolate(x, scale_factor=2, mode="bilinear"))
    assert bilinear(x, (4, 4)) is x
    with torch.autocast("cpu", torch.bfloat16):
        assert by_matrices(x, (8, 8)).dtype == torch.float32
    assert by_matrices(x.bfloat16(), (8, 8)).dtype == torch.bfloat16
