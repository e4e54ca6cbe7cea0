"""Layouts: cells, a memory that forgets, and which way a predicted layout is moved."""

import pytest
import torch

from thermochroma.losses.layout import Layouts, Memory, layout_of


def flat(level: float, *, channels: int = 1) -> torch.Tensor:
    return torch.full((1, channels, 16, 16), level)


def sky(*, above: float, below: float) -> torch.Tensor:
    image = flat(below)
    image[:, :, :8] = above
    return image


def test_a_layout_is_the_means_of_cells() -> None:
    image = torch.arange(2 * 3 * 4 * 4, dtype=torch.float32).view(2, 3, 4, 4)
    found = layout_of(image, side=2)
    assert found.shape == (2, 12)
    assert float(found[1, 3]) == pytest.approx(float(image[1, 0, 2:, 2:].mean()))
    assert layout_of(image.bfloat16(), side=2).dtype == torch.float32
    assert layout_of(image.double(), side=2).dtype == torch.float64


def test_a_memory_forgets_the_oldest() -> None:
    memory = Memory(3, 1)
    assert memory(torch.ones(2, 1)).tolist() == [0.0, 0.0]
    memory.add(torch.tensor([[1.0], [2.0]]))
    assert memory(torch.zeros(1, 1)).tolist() == pytest.approx([1.5], abs=1e-4)
    memory.add(torch.tensor([[3.0], [4.0]]))
    assert sorted(memory.kept[:, 0].tolist()) == [1.0, 3.0, 4.0]
    again = Memory(3, 1)
    again.load_state_dict(memory.state_dict())
    assert torch.equal(again(torch.zeros(1, 1)), memory(torch.zeros(1, 1)))


def test_no_memory_at_all() -> None:
    memory = Memory(0, 1)
    memory.add(torch.ones(2, 1))
    assert memory(torch.ones(2, 1)).tolist() == [0.0, 0.0]


def test_a_sky_of_the_wrong_sign_is_turned_round() -> None:
    """True skies are dark and grounds bright: a bright sky is pulled down, its dark ground up."""
    layouts = Layouts(channels=1, side=2, true=8, fakes=8, apart=0.5)
    for level in (0.4, 0.5, 0.6):
        layouts.remember(true=sky(above=-level, below=level), fake=sky(above=level, below=-level))
    fake = sky(above=0.45, below=-0.45).requires_grad_()
    (slope,) = torch.autograd.grad(layouts(fake).sum(), fake)
    assert (slope[:, :, :8] > 0).all()
    assert (slope[:, :, 8:] < 0).all()
    right = sky(above=-0.45, below=0.45)
    assert float(layouts(right)) < float(layouts(fake.detach()))


def test_former_fakes_repel() -> None:
    """With as many true as predicted layouts in one place nothing pulls if `apart` is 1."""
    layouts = Layouts(channels=1, side=2, true=8, fakes=8, apart=1.0)
    layouts.remember(true=flat(0.2), fake=flat(0.2))
    assert float(layouts(flat(0.7))) == pytest.approx(0.0, abs=1e-6)
    calmer = Layouts(channels=1, side=2, true=8, fakes=8, apart=0.6)
    calmer.remember(true=flat(0.2), fake=flat(0.2))
    assert float(calmer(flat(0.7))) == pytest.approx(0.4 * 0.5, abs=1e-4)
