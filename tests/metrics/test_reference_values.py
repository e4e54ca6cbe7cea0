"""Every score beside an independent reference: 100 random images and 20 degenerate ones.

The references are libraries where they have the score, else the definition written out in NumPy's
float64. Known mistakes stand beside the golden values, so that none can creep in unseen.
"""

import numpy as np
import pytest
import torch
from scipy.ndimage import convolve1d, gaussian_filter, sobel
from skimage import color
from skimage.metrics import peak_signal_noise_ratio, structural_similarity
from torch import Tensor

from thermochroma.base.errors import BadInput
from thermochroma.metrics.image_scores import OF_COLOUR, SCORES, score_images
from thermochroma.metrics.tolerant import REACH

torch.set_num_threads(1)
SIDE = 48
GAUSSIAN = {"gaussian_weights": True, "sigma": 1.5, "use_sample_covariance": False}
LUMA = np.array([0.299, 0.587, 0.114])
Pair = tuple[np.ndarray, np.ndarray]
"""Predicted and true, (h, w, c), 8 bits."""


def random_pairs(count: int = 100) -> list[Pair]:
    """Of every likeness, from noise to almost the same, of every smoothness and range."""
    pairs = []
    for seed in range(count):
        random = np.random.default_rng(seed)
        shape = (SIDE, SIDE, 3)
        noise = gaussian_filter(random.normal(size=shape), (seed % 5, seed % 5, 0))
        truth = 128 + noise / noise.std() * random.uniform(5, 90)
        other = truth * random.uniform(-0.5, 1.3) + random.uniform(-60, 60)
        other += random.normal(size=shape) * random.uniform(0, 40)
        pairs.append(tuple(x.clip(0, 255).round().astype(np.uint8) for x in (other, truth)))
    return pairs


def degenerate_pairs() -> dict[str, Pair]:
    """Flat, extreme, identical, almost identical; the noise has every level."""

    def flat(*levels: int) -> np.ndarray:
        return np.broadcast_to(np.uint8(levels), (SIDE, SIDE, 3)).copy()

    noise, other = np.random.default_rng(1).integers(0, 256, (2, SIDE, SIDE, 3), dtype=np.uint8)
    black, white, grey = flat(0, 0, 0), flat(255, 255, 255), flat(119, 119, 119)
    board = np.indices((SIDE, SIDE)).sum(0) % 2 * 255
    checks = np.repeat(board[..., None], 3, 2).astype(np.uint8)
    stripes = white.copy()
    stripes[:, ::2] = 0
    one_off, one_level = noise.copy(), noise.copy()
    one_off[20, 30] = 255 - one_off[20, 30]
    one_level[7, 9, 1] ^= 1
    red, cyan = flat(255, 0, 0), flat(0, 255, 255)
    return {
        "black, black": (black, black),
        "white, white": (white, white),
        "black, white": (black, white),
        "white, black": (white, black),
        "grey, grey": (grey, grey),
        "grey, next grey": (grey, grey + 1),
        "grey, noise": (grey, noise),
        "noise, grey": (noise, grey),
        "noise, black": (noise, black),
        "noise, noise": (noise, noise),
        "noise, other noise": (noise, other),
        "one pixel": (one_off, noise),
        "one level": (one_level, noise),
        "checks, checks": (checks, checks),
        "checks, their negative": (255 - checks, checks),
        "checks, grey": (checks, grey),
        "stripes, checks": (stripes, checks),
        "red, red": (red, red),
        "red, cyan": (red, cyan),
        "one channel": (np.where([1, 0, 0], noise, 0).astype(np.uint8), noise),
    }


PAIRS = {f"random {n}": pair for n, pair in enumerate(random_pairs())} | degenerate_pairs()


def in_batch(images: list[np.ndarray]) -> Tensor:
    return torch.from_numpy(np.stack(images)).permute(0, 3, 1, 2).contiguous()


def capped(squared_error: float, peak: float = 255.0) -> float:
    return 100.0 if squared_error == 0 else min(100.0, 10 * np.log10(peak**2 / squared_error))


def ms_ssim(prediction: np.ndarray, truth: np.ndarray) -> float:
    """In float64, channel by channel, with SciPy's filters."""
    kernel = np.exp(-((np.arange(11) - 5) ** 2) / (2 * 1.5**2))
    kernel /= kernel.sum()

    def means(x: np.ndarray) -> np.ndarray:
        return convolve1d(convolve1d(x, kernel, axis=0), kernel, axis=1)[5:-5, 5:-5]

    x, y, total = prediction.astype(float), truth.astype(float), 1.0
    c1, c2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
    for scale, weight in enumerate((0.0448, 0.2856, 0.3001, 0.2363, 0.1333)):
        mx, my = means(x), means(y)
        vx, vy, both = means(x * x) - mx**2, means(y * y) - my**2, means(x * y) - mx * my
        contrast = (2 * both + c2) / (vx + vy + c2)
        whole = contrast * (2 * mx * my + c1) / (mx**2 + my**2 + c1)
        factor = np.maximum((whole if scale == 4 else contrast).mean((0, 1)), 0)
        total = total * factor**weight
        if scale < 4:
            x, y = ((p[::2, ::2] + p[1::2, ::2] + p[::2, 1::2] + p[1::2, 1::2]) / 4 for p in (x, y))
    return float(np.mean(total))


def gradient_correlation(prediction: np.ndarray, truth: np.ndarray) -> float:
    found = []
    for axis in (0, 1):
        one, other = (sobel(p @ LUMA, axis)[1:-1, 1:-1].ravel() for p in (prediction, truth))
        flat = one.std() < 1e-9 or other.std() < 1e-9
        found.append(0.0 if flat else np.corrcoef(one, other)[0, 1])
    return float(np.mean(found))


def after_best_shift(prediction: np.ndarray, truth: np.ndarray) -> Pair:
    """Every shift tried, the smallest first."""
    field, best = truth[REACH:-REACH, REACH:-REACH], (np.inf, prediction)
    height, width = field.shape[:2]
    axis = range(-REACH, REACH + 1)
    for dy, dx in sorted(((y, x) for y in axis for x in axis), key=lambda s: s[0] ** 2 + s[1] ** 2):
        moved = prediction[REACH + dy :, REACH + dx :][:height, :width]
        error = float(((moved.astype(int) - field) ** 2).sum())
        best = min(best, (error, moved), key=lambda found: found[0])
    return best[1], field


def after_gain(prediction: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """NumPy's least squares; a flat image takes the truth's mean."""
    x, y = prediction.ravel().astype(float), truth.ravel().astype(float)
    flat = x.std() == 0
    gain, bias = (0.0, y.mean()) if flat else np.polyfit(x - x.mean(), y, 1)
    return np.clip(gain * (prediction - (0.0 if flat else x.mean())) + bias, 0, 255).round()


def colourfulness(image: np.ndarray) -> float:
    red, green, blue = np.moveaxis(image.astype(float), -1, 0)
    rg, yb = red - green, (red + green) / 2 - blue
    return float(np.hypot(rg.std(), yb.std()) + 0.3 * np.hypot(rg.mean(), yb.mean()))


def ssim(prediction: np.ndarray, truth: np.ndarray) -> float:
    pair = (prediction.astype(float), truth.astype(float))
    return float(structural_similarity(*pair, data_range=255, channel_axis=2, **GAUSSIAN))


def references(prediction: np.ndarray, truth: np.ndarray) -> dict[str, float]:
    """Every score but MS-SSIM, which needs larger images, and edges, which need what was seen."""
    x, y = prediction.astype(float), truth.astype(float)
    lab, true_lab = color.rgb2lab(prediction), color.rgb2lab(truth)
    moved, field = after_best_shift(prediction, truth)
    mended = after_gain(prediction, truth)
    error = float(((x - y) ** 2).mean())
    return {
        "ssim": ssim(x, y),
        "psnr": capped(error)
        if error == 0
        else min(100, peak_signal_noise_ratio(y, x, data_range=255)),
        "mse": error,
        "ciede2000": float(color.deltaE_ciede2000(lab, true_lab).mean()),
        "psnr_ab": capped(float(((lab - true_lab)[..., 1:] ** 2).mean())),
        "colourfulness_difference": abs(colourfulness(x) - colourfulness(y)),
        "gradient_correlation": gradient_correlation(x, y),
        "ssim_7u": float(structural_similarity(x, y, data_range=255, channel_axis=2)),
        "psnr_shift": capped(float(((moved.astype(float) - field) ** 2).mean())),
        "ssim_shift": ssim(moved, field),
        "psnr_gain": capped(float(((mended - y) ** 2).mean())),
        "ssim_gain": ssim(mended, y),
    }


@pytest.fixture(scope="module")
def found() -> dict[str, np.ndarray]:
    prediction, truth = (in_batch([pair[n] for pair in PAIRS.values()]) for n in (0, 1))
    return {name: values.numpy() for name, values in score_images(prediction, truth).items()}


@pytest.fixture(scope="module")
def expected() -> dict[str, np.ndarray]:
    each = [references(*pair) for pair in PAIRS.values()]
    return {name: np.array([one[name] for one in each]) for name in each[0]}


def test_there_are_100_random_and_20_degenerate_pairs() -> None:
    assert (len(PAIRS), len(degenerate_pairs())) == (120, 20)


@pytest.mark.parametrize(
    "name", [name for name in SCORES if name != "ms_ssim" and not name.startswith("edges_")]
)
def test_a_score_is_that_of_its_reference(
    name: str, found: dict[str, np.ndarray], expected: dict[str, np.ndarray]
) -> None:
    # Above 90 dB a* and b* differ by thousandths, which is what fp32 leaves of greys: no colour.
    high = 90.0 if name == "psnr_ab" else np.inf
    off = np.abs(np.minimum(found[name], high) - np.minimum(expected[name], high))
    worst = int(off.argmax())
    assert off[worst] < 1e-4, f"{list(PAIRS)[worst]}: {found[name][worst]}, {expected[name][worst]}"


def test_psnr_and_ssim_are_torchmetrics(found: dict[str, np.ndarray]) -> None:
    from torchmetrics.functional import image as theirs  # here: two seconds of every process's time

    prediction, truth = (in_batch([pair[n] for pair in PAIRS.values()]) for n in (0, 1))
    x, y = prediction.double(), truth.double()
    psnr = theirs.peak_signal_noise_ratio(x, y, data_range=255.0, reduction="none", dim=(1, 2, 3))
    assert found["psnr"] == pytest.approx(psnr.clamp(max=100).numpy(), abs=1e-5)
    _, whole = theirs.structural_similarity_index_measure(
        x, y, data_range=255.0, reduction="none", return_full_image=True
    )
    inside = whole[..., 5:-5, 5:-5].mean((1, 2, 3))  # theirs also counts mirrored borders
    assert found["ssim"] == pytest.approx(inside.numpy(), abs=1e-4)


@pytest.mark.parametrize("name", ["random 7", "random 33", *list(degenerate_pairs())[:15]])
def test_ms_ssim_is_its_definition(name: str) -> None:
    prediction, truth = (np.tile(one, (4, 4, 1))[:176, :176] for one in PAIRS[name])
    found = score_images(in_batch([prediction]), in_batch([truth]))["ms_ssim"].item()
    assert found == pytest.approx(ms_ssim(prediction, truth), abs=1e-4)


def test_ms_ssim_differs_from_torchmetrics_by_the_order_of_means() -> None:
    """Theirs averages the factors over channels first; of equal channels there is no other order."""
    from torchmetrics.functional.image import multiscale_structural_similarity_index_measure

    prediction, truth = (np.tile(one, (4, 4, 1))[:176, :176] for one in PAIRS["random 7"])
    prediction, truth = (np.repeat(one[..., :1], 3, 2) for one in (prediction, truth))
    one, other = in_batch([prediction]), in_batch([truth])
    theirs = multiscale_structural_similarity_index_measure(
        one.double(), other.double(), data_range=255.0, normalize="relu"
    )
    assert score_images(one, other)["ms_ssim"].item() == pytest.approx(theirs.item(), abs=5e-3)


def test_one_channel_is_scored_as_three_equal_ones() -> None:
    """Structure does not see how often an image is repeated, up to the rounding of luma."""
    prediction, truth = (one[..., :1] for one in PAIRS["random 12"])
    alone = score_images(in_batch([prediction]), in_batch([truth]))
    thrice = score_images(*(in_batch([np.repeat(one, 3, 2)]) for one in (prediction, truth)))
    assert set(alone) == set(thrice) - set(OF_COLOUR)
    for name, value in alone.items():
        assert value.tolist() == pytest.approx(thrice[name].tolist(), abs=1e-6, nan_ok=True), name


SYMMETRIC = [
    *("ssim", "psnr", "mse", "ms_ssim", "ciede2000", "psnr_ab", "colourfulness_difference"),
    *("gradient_correlation", "ssim_7u"),
]


def test_scores_that_know_no_truth_are_symmetric() -> None:
    prediction, truth = (in_batch([pair[n] for pair in random_pairs(12)]) for n in (0, 1))
    there, back = score_images(prediction, truth), score_images(truth, prediction)
    for name in SYMMETRIC:
        assert there[name].tolist() == pytest.approx(back[name].tolist(), abs=1e-5, nan_ok=True), (
            name
        )
    assert (there["ssim_gain"] - back["ssim_gain"]).abs().max() > 0.01, (
        "the gain is the prediction's"
    )


def test_scores_stay_in_their_ranges(found: dict[str, np.ndarray]) -> None:
    for name, score in SCORES.items():
        if name == "ms_ssim" or name.startswith("edges_"):
            continue
        low = -1.0 if score.unit == "" and score.higher_is_better else 0.0
        high = 1.0 if low else 100.0 if score.unit == "dB" else np.inf
        assert (found[name] >= low - 1e-6).all(), name
        assert (found[name] <= high + 1e-6).all(), name


def test_no_score_depends_on_where_the_image_is_mirrored() -> None:
    prediction, truth = (in_batch([pair[n] for pair in random_pairs(6)]) for n in (0, 1))
    plain = score_images(prediction, truth)
    mirrored = score_images(prediction.flip(-1), truth.flip(-1))
    for name, values in plain.items():
        assert values.tolist() == pytest.approx(mirrored[name].tolist(), abs=1e-5, nan_ok=True), (
            name
        )


def test_a_shift_costs_every_score_but_the_tolerant() -> None:
    wide = np.tile(PAIRS["random 14"][1], (2, 2, 1))
    truth, moved = in_batch([wide[10:74, 10:74]]), in_batch([wide[13:77, 6:70]])
    scores = score_images(moved, truth)
    assert scores["ssim"].item() < 0.9
    assert (scores["psnr_shift"].item(), scores["ssim_shift"].item()) == (100, pytest.approx(1))


@pytest.mark.parametrize(
    ("prediction", "truth"),
    [
        ((1, 3, 40, 40), (1, 3, 40, 41)),
        ((1, 1, 40, 40), (1, 3, 40, 40)),
        ((2, 3, 40, 40), (1, 3, 40, 40)),
    ],
)
def test_other_shapes_are_refused(prediction: tuple[int, ...], truth: tuple[int, ...]) -> None:
    one, other = (torch.zeros(shape, dtype=torch.uint8) for shape in (prediction, truth))
    with pytest.raises(BadInput, match="of the same size and channels"):
        score_images(one, other)
