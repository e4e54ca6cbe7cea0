"""Trivial and oracle rows on images small enough to be worked out by hand."""

import inspect
from collections.abc import Callable
from functools import partial

import numpy as np
import pytest
import torch
from scipy.ndimage import gaussian_filter
from torch import Tensor

from thermochroma.base.errors import BadInput
from thermochroma.baselines import oracles
from thermochroma.baselines.catalogue import BASELINES, ORACLES, TRIVIAL, Probe, Trivial
from thermochroma.baselines.trivial import TrainingImages
from thermochroma.metrics import fidelity

torch.set_num_threads(1)
SIDE = 48


def training(greys: np.ndarray, targets: np.ndarray, batch: int = 2) -> TrainingImages:
    starts = range(0, len(greys), batch)
    return TrainingImages(
        greys=lambda: (greys[i : i + batch] for i in starts),
        targets=lambda: (targets[i : i + batch] for i in starts),
        target=lambda row: targets[row],
        channels=targets.shape[-1],
    )


def noise(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)


@pytest.fixture(scope="module")
def known() -> tuple[np.ndarray, np.ndarray]:
    return noise(5, SIDE, SIDE), noise(5, SIDE, SIDE, 3, seed=1)


@pytest.fixture(scope="module")
def shown() -> tuple[Tensor, Tensor]:
    """Smooth images: (thermal, truth)."""
    random = np.random.default_rng(2)
    fields = gaussian_filter(random.normal(size=(2, 4, SIDE, SIDE)), (0, 0, 4, 4)) * 900 + 128
    both = torch.from_numpy(fields.clip(0, 255).astype(np.uint8))
    return both[:, :1].contiguous(), both[:, 1:].contiguous()


@pytest.mark.parametrize(
    ("spectrum", "name"), [(one, name) for one, rows in BASELINES.items() for name in rows.names]
)
def test_every_row_paints_8_bit_images_alone_as_in_a_batch(
    spectrum: str, name: str, known: tuple[np.ndarray, np.ndarray], shown: tuple[Tensor, Tensor]
) -> None:
    channels, rows = {"visible": 3, "thermal": 1}[spectrum], BASELINES[spectrum]
    grey, truth = shown[0], shown[1][:, :channels]
    if name in rows.oracles:
        oracle = rows.oracles[name]
        together, alone = oracle.predict(grey, truth), oracle.predict(grey[1:], truth[1:])
    elif name in rows.probes:
        images = training(known[0], known[1][..., :channels])
        predict = rows.probes[name].fit(images, _features)
        together, alone = predict(grey), predict(grey[1:])
    else:
        predict = rows.trivial[name].fit(training(known[0], known[1][..., :channels]))
        together, alone = predict(grey), predict(grey[1:])
    assert together.dtype == torch.uint8
    assert together.shape == truth.shape
    assert torch.equal(together[1:], alone)


def _features(image: Tensor) -> tuple[Tensor, ...]:
    return torch.nn.functional.avg_pool2d(image, 4), torch.nn.functional.avg_pool2d(image**2, 8)


def test_trivial_predictors_cannot_be_handed_the_truth(
    known: tuple[np.ndarray, np.ndarray],
) -> None:
    for rows in BASELINES.values():
        blind = {name: one.fit for name, one in rows.trivial.items()}
        blind |= {name: partial(one.fit, features=_features) for name, one in rows.probes.items()}
        for name, fit in blind.items():
            predictor = fit(training(*known))
            assert list(inspect.signature(predictor).parameters) == ["grey"], name
        assert not any(isinstance(baseline, Trivial | Probe) for baseline in rows.oracles.values())


def test_no_row_stands_in_both_directions_and_each_has_its_reference() -> None:
    names = [name for rows in BASELINES.values() for name in rows.names]
    assert len(set(names)) == len(names)
    assert all(rows.reference in rows.trivial for rows in BASELINES.values())


def test_copied_and_inverted(shown: tuple[Tensor, Tensor]) -> None:
    none = training(noise(0, 4, 4), noise(0, 4, 4, 3))
    thermal, _ = shown
    copied, inverted = (
        TRIVIAL[name].fit(none)(thermal) for name in ("thermal_copied", "thermal_inverted")
    )
    assert all(torch.equal(copied[:, channel], thermal[:, 0]) for channel in range(3))
    assert torch.equal(copied.int() + inverted.int(), torch.full_like(copied, 255).int())


def test_means_are_of_all_training_images_rounded(known: tuple[np.ndarray, np.ndarray]) -> None:
    """Batches of 2, 2 and 1: a mean of means would be wrong."""
    _, visibles = known
    thermal = torch.zeros(1, 1, SIDE, SIDE, dtype=torch.uint8)
    colour = TRIVIAL["mean_colour"].fit(training(*known))(thermal)
    image = TRIVIAL["mean_image"].fit(training(*known))(thermal)
    assert colour[0, :, 0, 0].tolist() == visibles.mean(axis=(0, 1, 2)).round().tolist()
    assert (colour == colour[:, :, :1, :1]).all()
    assert np.array_equal(image[0].permute(1, 2, 0).numpy(), visibles.mean(axis=0).round())


def test_nearest_finds_a_frame_again(known: tuple[np.ndarray, np.ndarray]) -> None:
    thermals, visibles = known
    order = [3, 0, 4]
    dimmer = (thermals[order] * 0.97 + 2).astype(np.uint8)
    prediction = TRIVIAL["nearest_frame"].fit(training(*known))(torch.from_numpy(dimmer)[:, None])
    assert np.array_equal(prediction.permute(0, 2, 3, 1).numpy(), visibles[order])


def test_nearest_takes_the_first_of_equals(known: tuple[np.ndarray, np.ndarray]) -> None:
    thermals, visibles = known
    twins = np.stack([thermals[1], thermals[0], thermals[0]])
    predictor = TRIVIAL["nearest_frame"].fit(training(twins, visibles))
    prediction = predictor(torch.from_numpy(thermals[:1])[:, None])
    assert np.array_equal(prediction[0].permute(1, 2, 0).numpy(), visibles[1])


@pytest.mark.parametrize("name", ["mean_colour", "mean_image", "nearest_frame"])
def test_an_empty_training_split_is_refused(name: str) -> None:
    with pytest.raises(BadInput, match="training split"):
        TRIVIAL[name].fit(training(noise(0, 8, 8), noise(0, 8, 8, 3)))


def test_own_mean_colour(shown: tuple[Tensor, Tensor]) -> None:
    thermal, truth = shown
    prediction = ORACLES["own_mean_colour"].predict(thermal, truth)
    expected = truth.double().mean((2, 3)).round()
    assert torch.equal(prediction[:, :, 5, 7].double(), expected)
    assert (prediction == prediction[:, :, :1, :1]).all()


def test_own_look_up_table_by_hand() -> None:
    thermal = torch.tensor([[9, 9], [9, 40]], dtype=torch.uint8).view(1, 1, 2, 2)
    red = torch.tensor([[10, 20], [31, 200]], dtype=torch.uint8)
    truth = torch.stack([red, 255 - red, red // 2])[None]
    prediction = ORACLES["own_look_up_table"].predict(thermal, truth)
    assert prediction[0, 0].tolist() == [[20, 20], [20, 200]]
    assert prediction[0, 1].tolist() == [[235, 235], [235, 55]]


def test_own_look_up_table_is_exact_for_a_function_of_thermal() -> None:
    thermal = torch.from_numpy(noise(2, 1, SIDE, SIDE))
    truth = torch.cat([255 - thermal, thermal // 2, (thermal > 99).to(torch.uint8) * 200], dim=1)
    assert torch.equal(ORACLES["own_look_up_table"].predict(thermal, truth), truth)


def test_local_affine_is_exact_for_a_line_and_better_the_smaller_its_windows(
    shown: tuple[Tensor, Tensor],
) -> None:
    thermal, truth = shown
    line = torch.cat([255 - thermal, thermal // 1, 255 - thermal], dim=1)
    assert (oracles.local_affine(thermal, line).int() - line.int()).abs().max() <= 1
    quality = [fidelity.psnr(oracles.local_affine(thermal, truth, r), truth) for r in (16, 8, 4)]
    assert (quality[0] < quality[1]).all()
    assert (quality[1] < quality[2]).all()


def test_local_affine_is_a_plain_fit_where_one_window_sees_all() -> None:
    """With a radius beyond the image, every window is the whole image: ordinary least squares."""
    thermal, truth = (
        torch.from_numpy(noise(1, 1, 12, 12)),
        torch.from_numpy(noise(1, 3, 12, 12, seed=4)),
    )
    prediction = oracles.local_affine(thermal, truth, radius=12)
    x, y = thermal.flatten().numpy(), truth[0, 0].flatten().numpy()
    expected = np.polyval(np.polyfit(x.astype(float), y.astype(float), 1), x).round()
    assert np.abs(prediction[0, 0].flatten().numpy() - expected).max() <= 1


def test_blurred_truth_is_scipys(shown: tuple[Tensor, Tensor]) -> None:
    thermal, truth = shown
    expected = gaussian_filter(truth.double().numpy(), (0, 0, 2, 2), mode="mirror")
    prediction = ORACLES["truth_blurred"].predict(thermal, truth)
    assert np.abs(prediction.numpy() - expected).max() <= 0.5 + 1e-9


def test_shifted_truth(shown: tuple[Tensor, Tensor]) -> None:
    thermal, truth = shown
    prediction = ORACLES["truth_shifted"].predict(thermal, truth)
    assert torch.equal(prediction[..., 2:], truth[..., :-2])
    assert torch.equal(prediction[..., :2], truth[..., :1].expand(-1, -1, -1, 2))


@pytest.mark.parametrize(
    "predict", [oracle.predict for oracle in ORACLES.values()], ids=list(ORACLES)
)
def test_oracles_leave_the_truth_alone(
    predict: Callable[[Tensor, Tensor], Tensor], shown: tuple[Tensor, Tensor]
) -> None:
    before = shown[1].clone()
    predict(*shown)
    assert torch.equal(shown[1], before)
