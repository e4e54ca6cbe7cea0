"""Losses against values worked out by hand: one number an image."""

import math

import pytest
import torch

from thermochroma.losses.adversarial import (
    cross_entropy_fake,
    cross_entropy_real,
    squares_fake,
    squares_real,
)
from thermochroma.losses.perceptual import feature_angles, perceptual
from thermochroma.losses.pixel import absolute, total_variation
from thermochroma.losses.structure import dissimilarity


def test_absolute_is_a_mean_a_image() -> None:
    target = torch.zeros(2, 3, 2, 2)
    output = torch.stack([torch.full((3, 2, 2), 0.5), torch.full((3, 2, 2), -1.0)])
    assert absolute(output, target).tolist() == [0.5, 1.0]


def test_total_variation_of_a_ramp() -> None:
    """A step of 0.1 a column, 3 channels, 4 by 5: 3 x 4 rows x 4 steps x 0.1, by 20 pixels."""
    ramp = (torch.arange(5) * 0.1).expand(1, 3, 4, 5)
    assert float(total_variation(ramp)) == pytest.approx(3 * 4 * 4 * 0.1 / 20)
    two = torch.cat([ramp, torch.zeros(1, 3, 4, 5)])
    assert total_variation(two).tolist() == pytest.approx([0.24, 0.0])


def test_least_squares_of_a_logit() -> None:
    logits = torch.full((2, 1, 3, 3), 0.3)
    assert squares_real(logits).tolist() == pytest.approx([0.49, 0.49])
    assert squares_fake(logits).tolist() == pytest.approx([0.09, 0.09])


def test_cross_entropy_of_an_undecided_critic() -> None:
    undecided = torch.zeros(1, 1, 2, 2)
    assert float(cross_entropy_real(undecided)) == pytest.approx(math.log(2))
    assert float(cross_entropy_fake(undecided)) == pytest.approx(math.log(2))
    sure = torch.full((1, 1, 2, 2), 4.0)
    assert float(cross_entropy_real(sure)) == pytest.approx(math.log(1 + math.exp(-4)))


def test_dissimilarity_is_zero_for_equal_and_refuses_the_tiny() -> None:
    image = torch.rand(2, 3, 16, 16, generator=torch.Generator().manual_seed(0)) * 2 - 1
    assert dissimilarity(image, image).tolist() == pytest.approx([0.0, 0.0], abs=1e-6)
    assert float(dissimilarity(image, -image)[0]) > 0.5
    with pytest.raises(ValueError, match="at least 11"):
        dissimilarity(image[..., :8], image[..., :8])


def test_dissimilarity_is_exact_under_autocast() -> None:
    random = torch.Generator().manual_seed(0)
    one, other = (torch.rand(1, 3, 16, 16, generator=random) for _ in range(2))
    with torch.autocast("cpu", torch.bfloat16):
        found = dissimilarity(one, other)
    assert torch.equal(found, dissimilarity(one, other))


def test_perceptual_sums_over_taps() -> None:
    def features(image: torch.Tensor) -> tuple[torch.Tensor, ...]:
        return 1 * image, 2 * image

    output = torch.full((2, 3, 4, 4), 0.5, requires_grad=True)
    target = torch.zeros(2, 3, 4, 4, requires_grad=True)
    found = perceptual(features, output, target)
    assert found.tolist() == pytest.approx([1.5, 1.5])
    found.sum().backward()
    assert output.grad is not None
    assert target.grad is None


def test_angles_of_features_do_not_depend_on_their_size() -> None:
    def features(image: torch.Tensor) -> tuple[torch.Tensor, ...]:
        return 1 * image, 5 * image

    one, other = torch.tensor([3.0, 4.0]), torch.tensor([4.0, -3.0])
    output = torch.stack([2 * one, other])[:, :, None, None].expand(2, 2, 4, 4)
    target = one[None, :, None, None].expand(2, 2, 4, 4).clone().requires_grad_()
    learns = output.clone().requires_grad_()
    found = feature_angles(features, learns, target)
    assert found.tolist() == pytest.approx([0.0, 2.0], abs=1e-6)
    found.sum().backward()
    assert learns.grad is not None
    assert target.grad is None
