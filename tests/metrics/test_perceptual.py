"""LPIPS, FID and KID beside libraries and closed forms, with weights made on the spot."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from scipy.linalg import sqrtm
from scipy.ndimage import gaussian_filter
from torch import Tensor, nn
from torchvision.models import Inception3

from thermochroma.base.errors import BadInput
from thermochroma.metrics import distribution
from thermochroma.metrics.distribution import (
    InceptionFeatures,
    fid,
    kid,
    kid_over_subsets,
    resize,
)
from thermochroma.metrics.perceptual import VGG16_TAPS, Lpips, read_linear
from thermochroma.networks.frozen import VggFeatures

torch.set_num_threads(1)
WIDTHS = (64, 128, 256, 512, 512)


def linear_state(seed: int = 0, widths: Sequence[int] = WIDTHS) -> dict[str, Tensor]:
    """In the published format."""
    generator = torch.Generator().manual_seed(seed)
    return {
        f"lin{n}.model.1.weight": torch.rand(1, width, 1, 1, generator=generator)
        for n, width in enumerate(widths)
    }


def images(seed: int, channels: int = 3, count: int = 2) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    shape = (count, channels, 48, 40)
    return torch.randint(0, 256, shape, dtype=torch.uint8, generator=generator)


@pytest.fixture(scope="module")
def reference() -> nn.Module:
    """torchmetrics' own, with a random VGG-16 and our linear layers."""
    # Here: two seconds of every process's time.
    from torchmetrics.functional.image.lpips import _LPIPS

    torch.manual_seed(0)
    network = _LPIPS(pretrained=False, net="vgg", pnet_rand=True, use_dropout=True)
    own = network.state_dict()
    own |= {name: tensor for name, tensor in linear_state().items() if name in own}
    network.load_state_dict(own)
    return network.eval()


@pytest.fixture(scope="module")
def ours(reference: nn.Module, tmp_path_factory: pytest.TempPathFactory) -> Lpips:
    path = tmp_path_factory.mktemp("lpips") / "vgg.pth"
    torch.save(linear_state(), path)
    slices = [getattr(reference.net, f"slice{n}") for n in range(1, 6)]
    convs = {name: m for part in slices for name, m in part.named_children()}
    state = {
        f"features.{name}.{kind}": getattr(layer, kind).detach()
        for name, layer in convs.items()
        if isinstance(layer, nn.Conv2d)
        for kind in ("weight", "bias")
    }
    features = VggFeatures(state, taps=VGG16_TAPS, imagenet_norm=True)
    return Lpips(features, read_linear(path))


def test_lpips_is_torchmetrics_given_the_same_weights(reference: nn.Module, ours: Lpips) -> None:
    prediction, truth = images(0), images(1)
    with torch.no_grad():
        expected = reference(*(x.float() / 127.5 - 1 for x in (prediction, truth))).flatten()
    found = ours(prediction, truth)
    assert found.tolist() == pytest.approx(expected.tolist(), abs=1e-5)
    assert (found > 0.01).all()
    assert found[1:].tolist() == ours(prediction[1:], truth[1:]).tolist(), "depends on the batch"


def test_lpips_of_the_same_image_is_nothing_and_grey_is_three_channels(ours: Lpips) -> None:
    one, other = images(2, channels=1), images(3, channels=1)
    assert ours(one, one).tolist() == [0, 0]
    thrice = ours(one.expand(-1, 3, -1, -1), other.expand(-1, 3, -1, -1))
    assert ours(one, other).tolist() == thrice.tolist()


def test_linear_layers_of_another_form_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "vgg.pth"
    with pytest.raises(BadInput, match="does not exist"):
        read_linear(path)
    path.write_bytes(b"no weights")
    with pytest.raises(BadInput, match="cannot be read"):
        read_linear(path)
    state = linear_state()
    negative = state | {"lin2.model.1.weight": -state["lin2.model.1.weight"]}
    flat = state | {"lin0.model.1.weight": torch.rand(64)}
    misnamed = {name.replace("lin4", "lin5"): tensor for name, tensor in state.items()}
    for wrong, match in (
        (negative, "lin2"),
        (flat, "lin0"),
        (misnamed, "lin4"),
        ({}, "no tensors"),
    ):
        torch.save(wrong, path)
        with pytest.raises(BadInput, match=match):
            read_linear(path)


def test_fid_of_two_gaussians_in_closed_form() -> None:
    """Exact means and variances along each axis: |gap|^2 + sum (s - t)^2."""
    corners = np.array([[x, y] for x in (-1.0, 1) for y in (-1.0, 1)])
    unit = corners / corners.std(0, ddof=1)
    prediction, truth = unit * [2, 3] + [5, 0], unit * [1, 7] + [1, 2]
    assert fid(prediction, truth) == pytest.approx(4**2 + 2**2 + 1**2 + 4**2)
    assert fid(prediction, prediction) == pytest.approx(0, abs=1e-9)


def test_fid_is_that_of_scipys_matrix_root() -> None:
    random = np.random.default_rng(0)
    mix = random.normal(size=(12, 12))
    prediction, truth = random.normal(size=(60, 12)) @ mix + 1, random.normal(size=(50, 12))
    one, other = (np.cov(x, rowvar=False) for x in (prediction, truth))
    gap = prediction.mean(0) - truth.mean(0)
    expected = gap @ gap + np.trace(one + other - 2 * sqrtm(one @ other).real)
    assert fid(prediction, truth) == pytest.approx(expected, rel=1e-9)
    assert fid(truth, prediction) == pytest.approx(expected, rel=1e-9)


def test_fid_with_fewer_images_than_features_is_a_number() -> None:
    random = np.random.default_rng(1)
    few = random.normal(size=(5, 40))
    assert fid(few, few) == pytest.approx(0, abs=1e-5)
    assert fid(few, random.normal(size=(6, 40)) + 1) > 1


def test_kid_is_torchmetrics() -> None:
    from torchmetrics.image.kid import poly_mmd

    random = np.random.default_rng(2)
    prediction, truth = random.normal(size=(30, 9)) + 0.3, random.normal(size=(30, 9))
    expected = poly_mmd(*(torch.from_numpy(x) for x in (prediction, truth)))
    assert kid(prediction, truth) == pytest.approx(expected.item(), rel=1e-9)
    halves = kid(truth[:15], truth[15:])
    assert abs(halves) < kid(prediction + 1, truth) / 10


def test_kid_of_pairs_is_the_mean_over_all_pairs_of_pairs(monkeypatch: pytest.MonkeyPatch) -> None:
    random = np.random.default_rng(3)
    truth = random.normal(size=(60, 5))
    prediction = truth + 0.5 * random.normal(size=truth.shape) + 0.2
    monkeypatch.setattr(distribution, "SUBSETS", 2)
    monkeypatch.setattr(distribution, "BLOCK", 7)
    mean, spread = kid_over_subsets(prediction, truth)
    drawn = np.random.default_rng(distribution.SEED)
    expected = []
    for some in (drawn.choice(60, 30, replace=False) for _ in range(2)):
        terms = [
            _kernel(prediction[i], prediction[j])
            + _kernel(truth[i], truth[j])
            - _kernel(prediction[i], truth[j])
            - _kernel(prediction[j], truth[i])
            for i in some
            for j in some
            if i != j
        ]
        expected.append(np.mean(terms))
    assert mean == pytest.approx(np.mean(expected), rel=1e-9)
    assert spread == pytest.approx(np.std(expected, ddof=1), rel=1e-9)


def _kernel(one: np.ndarray, other: np.ndarray) -> float:
    return float((one @ other / len(one) + 1) ** 3)


def test_kid_over_subsets_is_0_for_the_truth_and_without_bias_for_others() -> None:
    random = np.random.default_rng(4)
    truth, other = random.normal(size=(200, 6)), random.normal(size=(200, 6))
    assert kid_over_subsets(truth, truth) == pytest.approx((0, 0), abs=1e-12)
    mean, spread = kid_over_subsets(other, truth)
    assert abs(mean) < 3 * spread
    far, spread = kid_over_subsets(other + 1, truth)
    assert far == pytest.approx(kid(other + 1, truth), rel=0.05)
    assert 0 < spread < far / 3
    with pytest.raises(BadInput, match="49 predicted and 49 true images"):
        kid_over_subsets(other[:49], truth[:49])


@pytest.mark.parametrize("score", [fid, kid])
def test_one_image_has_no_spread(score: object) -> None:
    with pytest.raises(BadInput, match="1 predicted"):
        score(np.ones((1, 4)), np.ones((3, 4)))  # type: ignore[operator]


def test_resizing_averages_what_it_shrinks_and_keeps_fractions() -> None:
    stripes = np.zeros((1, 600, 600), np.uint8)
    stripes[..., ::2] = 255
    shrunk = resize(stripes, 100)[0]
    assert np.abs(shrunk[10:-10, 10:-10] - 127.5).max() < 3, "aliasing"
    noise = gaussian_filter(np.random.default_rng(3).normal(size=(3, 64, 64)), (0, 2, 2))
    image = (noise * 200 + 128).clip(40, 215).astype(np.uint8)
    rounded = Image.fromarray(image.transpose(1, 2, 0)).resize((99, 99), Image.Resampling.BICUBIC)
    off = np.abs(resize(image, 99).clip(0, 255) - np.asarray(rounded).transpose(2, 0, 1))
    assert 0.1 < off.max() < 2, "the 8-bit filter differs by its roundings"


def test_inception_is_loaded_strictly_and_alone_as_in_a_batch(tmp_path: Path) -> None:
    torch.manual_seed(0)
    published = Inception3(transform_input=True, init_weights=False)
    state, path = published.state_dict(), tmp_path / "inception.pth"
    torch.save(state, path)
    features = InceptionFeatures(path)
    both = features(images(4))
    assert both.shape == (2, 2048)
    assert both[1:] == pytest.approx(features(images(4)[1:]), abs=1e-5)
    assert np.abs(both[0] - both[1]).max() > 0
    state.pop("Mixed_7c.branch1x1.conv.weight")
    torch.save(state, path)
    with pytest.raises(BadInput, match="Inception v3"):
        InceptionFeatures(path)
