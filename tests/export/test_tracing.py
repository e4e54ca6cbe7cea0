"""What stands in for operations while a network is traced computes what they compute."""

import pytest
import torch
from torch.nn import functional as F

from thermochroma.export.tracing import Traceable

SIDES = [(64, 80), (17, 9), (5, 3), (128, 128), (300, 260)]


@pytest.mark.parametrize("sides", SIDES)
def test_cells_are_averaged_as_torch_does(sides: tuple[int, int]) -> None:
    x = torch.randn(2, 3, *sides, generator=torch.Generator().manual_seed(0))
    for cells in (1, 2, 3, 6, (7, 4), [1, 1], sides):
        with Traceable():
            found = F.adaptive_avg_pool2d(x, cells)  # type: ignore[arg-type]
        assert torch.allclose(found, F.adaptive_avg_pool2d(x, cells), atol=1e-6)  # type: ignore[arg-type]


@pytest.mark.parametrize("sides", SIDES)
def test_antialiased_images_are_resized_as_torch_does(sides: tuple[int, int]) -> None:
    x = torch.randn(2, 3, *sides, generator=torch.Generator().manual_seed(0))
    for new in ((128, 128), (40, 200), sides, (2 * sides[0], 3 * sides[1])):
        with Traceable():
            found = F.interpolate(x, new, mode="bilinear", antialias=True)
        wanted = F.interpolate(x, new, mode="bilinear", antialias=True)
        assert torch.allclose(found, wanted, atol=1e-5)


def test_all_else_is_as_it_was() -> None:
    x = torch.randn(2, 24, 4, 4, generator=torch.Generator().manual_seed(0))
    with Traceable():
        assert torch.equal(x.unflatten(1, (2, -1)), x.reshape(2, 2, 12, 4, 4))
        assert torch.equal(x.unflatten(-1, (2, 2)), x.reshape(2, 24, 4, 2, 2))
        enlarged = F.interpolate(x, scale_factor=2)
    assert torch.equal(enlarged, F.interpolate(x, scale_factor=2))
    with Traceable(), pytest.raises(ValueError, match="no substitute for antialiased"):
        F.interpolate(x, (2, 2), mode="bicubic", antialias=True)
