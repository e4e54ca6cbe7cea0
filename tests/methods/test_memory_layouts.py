"""That the examination's questions about memory layouts find what they look for."""

import pytest
import torch
from torch import Tensor, nn

from tests.layouts import PlainSteps, difference_by_layout
from thermochroma.networks.blocks import InstanceNorm2d
from thermochroma.networks.frozen import FrozenNetworks
from thermochroma.training.loop import laid_out_as


def test_a_gradient_in_another_layout_is_found() -> None:
    weight = nn.Parameter(torch.randn(8, 4, 3, 3))
    optimizer = torch.optim.Adam([weight], lr=1e-3, fused=True)
    beside = PlainSteps(optimizer)
    weight.grad = torch.randn(8, 4, 3, 3).contiguous(memory_format=torch.channels_last)
    optimizer.step()
    assert beside.strides == {0}


def test_a_wrong_step_is_found() -> None:
    weight, gradient = nn.Parameter(torch.randn(8, 4)), torch.randn(8, 4)
    optimizer = torch.optim.Adam([weight], lr=1e-3, fused=True)
    beside = PlainSteps(optimizer)

    def other_way(*_: object) -> None:  # runs when the watcher has looked
        gradient.neg_()

    optimizer.register_step_pre_hook(other_way)
    weight.grad = gradient
    optimizer.step()
    assert beside.worst > 1


@pytest.mark.parametrize("shape", [(8, 4, 3, 3), (8, 1, 3, 3), (8, 4, 1, 1), (8, 4)])
def test_a_gradient_is_laid_out_as_its_parameter(shape: tuple[int, ...]) -> None:
    gradient = torch.randn(shape)
    parameter = torch.randn(shape)
    if len(shape) == 4:
        parameter = parameter.to(memory_format=torch.channels_last)
    found = laid_out_as(parameter, gradient)
    assert found.stride() == parameter.stride()
    assert torch.equal(found, gradient)
    assert laid_out_as(gradient, gradient) is gradient


@pytest.mark.parametrize("count", [1, 2])
@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
def test_instance_norm_has_the_gradient_of_its_formula(
    count: int, layout: torch.memory_format
) -> None:
    x = torch.randn(count, 6, 8, 8, dtype=torch.float64)
    incoming = torch.randn(count, 6, 8, 8, dtype=torch.float64)
    wanted = _gradient(_by_formula, x, incoming)
    norm = InstanceNorm2d(6, eps=1e-5)
    found = _gradient(norm, x.to(memory_format=layout), incoming.to(memory_format=layout))
    torch.testing.assert_close(found, wanted, atol=1e-10, rtol=1e-10)


def test_the_gradient_of_torchs_own_instance_norm_is_found(
    narrow_frozen: FrozenNetworks, monkeypatch: pytest.MonkeyPatch
) -> None:
    """If it is not any more, torch has mended it, and ours can go where it only mends that."""
    monkeypatch.setattr(InstanceNorm2d, "forward", nn.InstanceNorm2d.forward)
    found = difference_by_layout("cyclegan", narrow_frozen, count=1)
    assert found["translators"] > 0.1, "question 14 asks for less than 1e-9"


def _by_formula(x: Tensor) -> Tensor:
    away = x - x.mean((2, 3), keepdim=True)
    return away / (away.square().mean((2, 3), keepdim=True) + 1e-5).sqrt()


def _gradient(function: object, x: Tensor, incoming: Tensor) -> Tensor:
    assert callable(function)
    seen = x.detach().requires_grad_()
    (found,) = torch.autograd.grad(function(seen), seen, incoming)
    return found
