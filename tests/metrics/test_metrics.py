"""Scores against scikit-image, torchmetrics and values worked out by hand."""

import numpy as np
import pytest
import torch
from pytorch_msssim import ssim as reference_ssim
from scipy.ndimage import gaussian_filter
from skimage import color
from torch import Tensor

from thermochroma.base.errors import BadInput
from thermochroma.metrics import colour, fidelity, structure, tolerant
from thermochroma.metrics.image_scores import SCORES, score_images

torch.set_num_threads(
    1
)  # on a busy machine, threads that wait for each other cost most of the time

OF_THE_TRUTH = {name: score for name, score in SCORES.items() if not name.startswith("edges_")}
"""What `score_images` takes; edges are compared with what was seen."""
GAUSSIAN = {"gaussian_weights": True, "sigma": 1.5, "use_sample_covariance": False}


def as_tensor(image: np.ndarray) -> Tensor:
    return torch.from_numpy(image).permute(2, 0, 1)[None].contiguous()


def drawn(seed: int, side: int = 176) -> np.ndarray:
    """A road-like image in [0, 255]: soft ground, hard-edged things, texture, some noise."""
    random = np.random.default_rng(seed)
    ground = gaussian_filter(random.normal(size=(side, side, 1)), (24, 24, 0)) * 900 + 110
    image = ground + np.array([8, 0, -8])
    for _ in range(25):
        top, left = random.integers(0, side - 12, 2)
        height, width = random.integers(6, side // 3, 2)
        image[top : top + height, left : left + width] = (
            random.uniform(35, 220) + random.normal(size=3) * 9
        )
    image += gaussian_filter(random.normal(size=(side, side, 1)), (1, 1, 0)) * 18
    return np.clip(image + random.normal(size=(side, side, 1)) * 2, 0, 255).round()


def spoiled(truth: np.ndarray) -> np.ndarray:
    """The prediction of the golden values: shifted 2 px, sigma 3, contrast x 0.8, 6 levels up."""
    shifted = np.roll(truth, 2, axis=1)
    blurred = gaussian_filter(shifted, (3, 3, 0))
    return np.clip((blurred - 127.5) * 0.8 + 127.5 + 6, 0, 255)


@pytest.fixture(scope="module")
def pairs() -> list[tuple[np.ndarray, np.ndarray]]:
    """(prediction before rounding, truth), both in [0, 255]."""
    return [(spoiled(truth), truth) for truth in (drawn(seed) for seed in range(3))]


@pytest.fixture(scope="module")
def images(pairs: list[tuple[np.ndarray, np.ndarray]]) -> tuple[Tensor, Tensor]:
    prediction = torch.cat([as_tensor(one.round().astype(np.uint8)) for one, _ in pairs])
    truth = torch.cat([as_tensor(other.astype(np.uint8)) for _, other in pairs])
    return prediction, truth


@pytest.fixture(scope="module")
def noise() -> tuple[Tensor, Tensor]:
    """Two batches that have nothing in common: every colour, every sign of covariance."""
    generator = torch.Generator().manual_seed(3)
    both = torch.randint(0, 256, (2, 2, 3, 48, 40), dtype=torch.uint8, generator=generator)
    return both[0], both[1]


def in_numpy(batch: Tensor) -> list[np.ndarray]:
    return [image.permute(1, 2, 0).numpy() for image in batch]


def test_psnr_by_hand() -> None:
    truth = torch.full((2, 3, 32, 32), 100, dtype=torch.uint8)
    prediction = truth + torch.tensor([5, 0], dtype=torch.uint8).view(2, 1, 1, 1)
    assert fidelity.mean_squared_error(prediction, truth).tolist() == [25, 0]
    assert fidelity.psnr(prediction, truth).tolist() == pytest.approx([10 * np.log10(2601), 100])
    darker = fidelity.mean_squared_error(truth, prediction)
    assert darker.tolist() == [25, 0], "unsigned levels wrap round"


@pytest.mark.parametrize("which", ["images", "noise"])
def test_ssim_is_that_of_the_references(which: str, request: pytest.FixtureRequest) -> None:
    from skimage.metrics import structural_similarity  # here: slow, as are torchmetrics
    from torchmetrics.functional.image import structural_similarity_index_measure

    prediction, truth = request.getfixturevalue(which)
    found = fidelity.ssim(prediction, truth)
    by_skimage = [
        structural_similarity(one, other, data_range=255, channel_axis=2, **GAUSSIAN)
        for one, other in zip(in_numpy(prediction), in_numpy(truth), strict=True)
    ]
    _, full = structural_similarity_index_measure(
        prediction.double(),
        truth.double(),
        data_range=255.0,
        reduction="none",
        return_full_image=True,
    )
    by_torchmetrics = full[..., 5:-5, 5:-5].mean((1, 2, 3))  # windows inside the image
    assert found.tolist() == pytest.approx(by_skimage, abs=2e-5)
    assert found.tolist() == pytest.approx(by_torchmetrics.tolist(), abs=2e-5)


@pytest.mark.parametrize("which", ["images", "noise"])
def test_ssim_7u_is_scikit_images_default(which: str, request: pytest.FixtureRequest) -> None:
    from skimage.metrics import structural_similarity  # here: slow

    prediction, truth = request.getfixturevalue(which)
    expected = [
        structural_similarity(one.astype(float), other, data_range=255, channel_axis=2)
        for one, other in zip(in_numpy(prediction), in_numpy(truth.double()), strict=True)
    ]
    assert fidelity.ssim_7u(prediction, truth).tolist() == pytest.approx(expected, abs=1e-6)


def test_ssim_7u_of_saturated_images() -> None:
    """Window sums of 255 are the largest there are: nothing may overflow."""
    from skimage.metrics import structural_similarity  # here: slow

    white = torch.full((1, 3, 16, 16), 255, dtype=torch.uint8)
    stripes = white.clone()
    stripes[..., ::2] = 0
    expected = structural_similarity(
        *(in_numpy(batch)[0].astype(float) for batch in (white, stripes)),
        data_range=255,
        channel_axis=2,
    )
    assert fidelity.ssim_7u(white, white).item() == pytest.approx(1)
    assert fidelity.ssim_7u(white, stripes).item() == pytest.approx(expected, abs=1e-6)


def test_ms_ssim_and_where_it_is_not_defined(images: tuple[Tensor, Tensor]) -> None:
    from torchmetrics.functional.image import multiscale_structural_similarity_index_measure

    prediction, truth = images
    expected = multiscale_structural_similarity_index_measure(
        prediction.float(), truth.float(), data_range=255.0, reduction="none", normalize="relu"
    )
    found = fidelity.ms_ssim(prediction, truth)
    assert found.tolist() == pytest.approx(expected.tolist(), abs=5e-3)
    assert fidelity.ms_ssim(prediction[..., :160, :], truth[..., :160, :]).isnan().all()
    assert fidelity.ms_ssim(prediction[..., :161, :], truth[..., :161, :]).isfinite().all()


def golden(pairs: list[tuple[np.ndarray, np.ndarray]]) -> dict[str, float]:
    """Every way of section 2 to compute "SSIM", by scikit-image and pytorch-msssim."""
    from skimage.metrics import structural_similarity  # here: slow

    pairs = [(one.round(), other) for one, other in pairs]
    luma = np.array([0.299, 0.587, 0.114])

    def mean(scale: float, offset: float, peak: float, grey: bool = False, **how: object) -> float:
        values = []
        for pair in pairs:
            one, other = ((p @ luma if grey else p) / scale + offset for p in pair)
            axis = None if grey else 2
            values.append(
                structural_similarity(one, other, data_range=peak, channel_axis=axis, **how)
            )
        return float(np.mean(values))

    return {
        "uniform": mean(1, 0, 255),
        "gaussian": mean(1, 0, 255, **GAUSSIAN),
        "gaussian luma": mean(1, 0, 255, grey=True, **GAUSSIAN),
        "[0,1], L=2": mean(255, 0, 2, **GAUSSIAN),
        "[-1,1], L=2": mean(127.5, -1, 2, **GAUSSIAN),
        "[0,1], L=255": mean(255, 0, 255, **GAUSSIAN),
        "0-255, L=1": mean(1, 0, 1, **GAUSSIAN),
    }


def test_golden_spread_of_ssim(
    pairs: list[tuple[np.ndarray, np.ndarray]], images: tuple[Tensor, Tensor]
) -> None:
    """Legitimate choices differ by hundredths; mistakes in the range by tenths, either way."""
    by = golden(pairs)
    assert fidelity.ssim(*images).mean().item() == pytest.approx(by["gaussian"], abs=2e-5)
    assert fidelity.ssim_7u(*images).mean().item() == pytest.approx(by["uniform"], abs=1e-6)
    assert 0.002 < by["gaussian"] - by["uniform"] < 0.03
    assert abs(by["gaussian luma"] - by["gaussian"]) < 0.03
    assert by["[0,1], L=2"] > by["gaussian"] + 0.03
    assert by["[-1,1], L=2"] < by["gaussian"] - 0.03
    assert by["[0,1], L=255"] > 0.999
    assert by["0-255, L=1"] < by["gaussian"] - 0.15


def test_golden_spread_of_psnr(
    pairs: list[tuple[np.ndarray, np.ndarray]], images: tuple[Tensor, Tensor]
) -> None:
    prediction, truth = images
    psnr = fidelity.psnr(prediction, truth)
    expected = [10 * np.log10(255**2 / np.mean((one.round() - other) ** 2)) for one, other in pairs]
    assert psnr.tolist() == pytest.approx(expected, abs=1e-9)
    floored = torch.cat([as_tensor(one.astype(np.uint8)) for one, _ in pairs])
    brighter = 0 < (fidelity.psnr(floored, truth) - psnr).mean() < 0.5  # flooring undoes the +6
    pooled = fidelity.decibels(fidelity.mean_squared_error(prediction, truth).mean(0, keepdim=True))
    assert brighter
    assert pooled.item() < psnr.mean().item() - 0.001, "the logarithm is concave"
    in_luma = fidelity.decibels(
        (colour.luma(prediction) - colour.luma(truth)).square().mean((1, 2))
    )
    assert in_luma.mean().item() > psnr.mean().item(), "luma averages the channels' errors away"


def test_scores_leave_the_images_alone(noise: tuple[Tensor, Tensor]) -> None:
    before = [batch.clone() for batch in noise]
    score_images(*noise)
    assert all(torch.equal(one, other) for one, other in zip(before, noise, strict=True))


@pytest.mark.parametrize("which", ["images", "noise"])
def test_ciede2000_is_that_of_scikit_image(which: str, request: pytest.FixtureRequest) -> None:
    prediction, truth = request.getfixturevalue(which)
    labs = [[color.rgb2lab(image) for image in in_numpy(batch)] for batch in (prediction, truth)]
    expected = np.stack([color.deltaE_ciede2000(*pair) for pair in zip(*labs, strict=True)])
    found = colour.ciede2000(colour.lab(prediction), colour.lab(truth))
    assert torch.stack([*colour.lab(prediction)]).permute(0, 2, 3, 1).numpy() == pytest.approx(
        np.stack(labs[0]), abs=1e-3
    )
    assert np.quantile(np.abs(found.numpy() - expected), 0.999) < 2e-3
    assert found.mean((1, 2)).tolist() == pytest.approx(expected.mean((1, 2)).tolist(), abs=1e-4)


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [  # from the test data of Sharma, Wu and Dalal 2005: grey, opposite hues, the blues, far apart
        ((50.0, 2.6772, -79.7751), (50.0, 0.0, -82.7485), 2.0425),
        ((50.0, 0.0, 0.0), (50.0, -1.0, 2.0), 2.3669),
        ((50.0, 2.49, -0.001), (50.0, -2.49, 0.0009), 7.1792),
        ((50.0, 2.49, -0.001), (50.0, -2.49, 0.0011), 7.2195),
        ((50.0, 2.5, 0.0), (73.0, 25.0, -18.0), 27.1492),
        ((2.0776, 0.0795, -1.135), (0.9033, -0.0636, -0.5514), 0.9082),
    ],
)
def test_ciede2000_of_published_pairs(
    one: tuple[float, ...], other: tuple[float, ...], expected: float
) -> None:
    first, second = (
        torch.tensor(values, dtype=torch.float64).view(1, 3, 1, 1) for values in (one, other)
    )
    assert colour.ciede2000(first, second).item() == pytest.approx(expected, abs=5e-5)
    assert colour.ciede2000(second, first).item() == pytest.approx(expected, abs=5e-5)


def test_psnr_ab_sees_colour_and_no_lightness() -> None:
    grey = torch.full((1, 3, 32, 32), 60, dtype=torch.uint8)
    lighter = torch.full_like(grey, 180)
    red = grey.clone()
    red[:, 0] = 200
    assert colour.psnr_ab(colour.lab(grey), colour.lab(lighter)).item() > 90
    a, b = color.rgb2lab(in_numpy(red)[0])[0, 0, 1:]
    expected = 10 * np.log10(255**2 / ((a**2 + b**2) / 2))
    assert colour.psnr_ab(colour.lab(red), colour.lab(grey)).item() == pytest.approx(
        expected, abs=1e-3
    )


def test_colourfulness_by_hand() -> None:
    """Half red, half black: rg is 200 or 0, yb is 100 or 0."""
    image = torch.zeros(1, 3, 32, 32, dtype=torch.uint8)
    image[:, 0, :16] = 200
    expected = np.hypot(100, 50) + 0.3 * np.hypot(100, 50)
    grey = torch.full_like(image, 77)
    assert colour.colourfulness(image).item() == pytest.approx(expected)
    assert colour.colourfulness(grey).item() == 0
    assert colour.colourfulness_difference(grey, image).item() == pytest.approx(expected)


def test_gradient_correlation() -> None:
    luma = torch.from_numpy(drawn(7, 48)).mean(-1)[None]
    flat = torch.full_like(luma, 9.0)
    assert structure.gradient_correlation(0.3 * luma + 50, luma).item() == pytest.approx(1)
    assert structure.gradient_correlation(255 - luma, luma).item() == pytest.approx(-1)
    assert structure.gradient_correlation(flat, luma).item() == 0
    rows, columns = np.gradient(np.arange(6.0)[:, None] ** 2 * np.ones(6))
    assert columns.max() == 0
    assert rows.max() > 0
    ramp = torch.arange(6.0)[:, None].square().expand(6, 6)[None]
    assert structure.gradient_correlation(ramp, ramp).item() == pytest.approx(0.5), "no x edges"


@pytest.mark.parametrize(("dy", "dx"), [(0, 0), (3, -5), (-8, 8), (8, 1)])
def test_best_shift_is_found_and_undone(dy: int, dx: int) -> None:
    wide = as_tensor(drawn(5, 96).astype(np.uint8))
    truth = wide[..., 10:-10, 10:-10]
    prediction = wide.roll((dy, dx), (-2, -1))[..., 10:-10, 10:-10]
    assert tolerant.best_shift(prediction, truth).tolist() == [[dy, dx]]
    moved, field = tolerant.after_best_shift(prediction, truth)
    assert torch.equal(moved, field)
    assert field.shape[-2:] == (60, 60)


def test_best_shift_is_the_best_of_all(noise: tuple[Tensor, Tensor]) -> None:
    """Against every shift tried one by one, where no shift is good."""
    prediction, truth = noise
    reach, n = tolerant.REACH, 2 * tolerant.REACH + 1
    field = truth[..., reach:-reach, reach:-reach]
    height, width = field.shape[-2:]
    errors = torch.stack(
        [
            fidelity.mean_squared_error(prediction[..., y : y + height, x : x + width], field)
            for y in range(n)
            for x in range(n)
        ]
    )
    moved, _ = tolerant.after_best_shift(prediction, truth)
    assert fidelity.mean_squared_error(moved, field).tolist() == errors.min(0).values.tolist()


def test_a_flat_image_gains_nothing_by_a_shift() -> None:
    truth = as_tensor(drawn(6, 64).astype(np.uint8))
    flat = torch.full_like(truth, 120)
    assert tolerant.best_shift(flat, truth).tolist() == [[0, 0]]


def test_gain_and_bias() -> None:
    truth = as_tensor(drawn(8, 40).astype(np.uint8))
    negative, flat = 255 - truth, torch.full_like(truth, 3)
    assert torch.equal(tolerant.after_gain_and_bias(negative, truth), truth)
    prediction = torch.cat([truth // 2, flat])
    mended = tolerant.after_gain_and_bias(prediction, torch.cat([truth, truth]))
    gain, bias = np.polyfit((truth // 2).flatten().numpy(), truth.flatten().numpy(), 1)
    expected = (gain * (truth // 2).numpy() + bias).clip(0, 255).round()
    assert mended[0].numpy() == pytest.approx(expected[0])
    assert mended[1].unique().tolist() == [round(truth.double().mean().item())]


def test_every_score_of_a_perfect_image() -> None:
    truth = as_tensor(drawn(9, 176).astype(np.uint8))
    found = {name: value.item() for name, value in score_images(truth, truth).items()}
    zero = {"mse", "ciede2000", "colourfulness_difference"}
    expected = {
        name: 0.0 if name in zero else 100.0 if score.unit == "dB" else 1.0
        for name, score in OF_THE_TRUTH.items()
    }
    assert found == pytest.approx(expected, abs=1e-5)


def test_a_worse_image_scores_worse_in_the_stated_direction(
    images: tuple[Tensor, Tensor],
) -> None:
    prediction, truth = images
    near, far = score_images(prediction, truth), score_images(255 - prediction.flip(-1), truth)
    for name, score in OF_THE_TRUTH.items():
        if name != "colourfulness_difference":  # a negative is as colourful
            sign = 1 if score.higher_is_better else -1
            assert sign * near[name].mean() > sign * far[name].mean(), name


def test_values_do_not_depend_on_the_batch(noise: tuple[Tensor, Tensor]) -> None:
    prediction, truth = noise
    together, alone = score_images(prediction, truth), score_images(prediction[1:], truth[1:])
    for name in OF_THE_TRUTH:
        assert torch.equal(together[name][1:], alone[name]) or together[name].isnan().all()
        assert together[name].dtype == torch.float64, name


def test_images_too_small_are_refused() -> None:
    small = torch.zeros(1, 3, 26, 40, dtype=torch.uint8)
    with pytest.raises(BadInput, match="26x40"):
        score_images(small, small)


def test_fp32_ssim_equals_the_one_for_training(images: tuple[Tensor, Tensor]) -> None:
    """The memory layout we choose for speed changes nothing that shows."""
    prediction, truth = (batch.double() for batch in images)
    expected = reference_ssim(prediction, truth, data_range=255, size_average=False)
    assert fidelity.ssim(*images).tolist() == pytest.approx(expected.tolist(), abs=2e-5)
