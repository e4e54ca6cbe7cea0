"""The list of scores, and one function that computes them all, for methods and baselines alike."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Final

import torch
from jaxtyping import Float, UInt8
from torch import Tensor

from thermochroma.base.errors import BadInput
from thermochroma.metrics.colour import (
    PEAK_AB,
    colourfulness_of,
    lab_of,
    luma_thousandths_of,
    mean_ciede2000_of,
    squared_error_ab_of,
)
from thermochroma.metrics.distribution import LARGEST_SUBSET, SUBSETS
from thermochroma.metrics.fidelity import (
    CAP_DB,
    MS_SSIM_LARGER_THAN,
    Image,
    decibels_of,
    has_five_scales,
    in_pairs,
    squared_error_of,
    ssim_7u_of,
)
from thermochroma.metrics.structure import gradient_correlation_of
from thermochroma.metrics.tolerant import REACH, best_shift_of, gain_and_bias_of, under_field
from thermochroma.metrics.windows import Channels, ssim_and_ms_ssim_of, ssim_of, windows_of

SMALLEST_SIDE: Final = 2 * REACH + 11
"""Pixels: below this, no SSIM window is left after the shift."""


@dataclass(frozen=True)
class Score:
    """Title, unit, decimals, direction and definition of one score."""

    title: str
    unit: str
    decimals: int
    higher_is_better: bool
    definition: str


_SHIFTED = (
    f"Shifted: after the best whole-pixel global shift within ±{REACH} pixels, over the truth "
    f"without a border of {REACH} pixels."
)
_GAIN = "Gain: after one gain and one bias an image (least squares), clamped and rounded."

SCORES: Final[dict[str, Score]] = {
    "ssim": Score(
        "SSIM", "", 3, higher_is_better=True,
        definition="SSIM: Gaussian window of 11 pixels, sigma 1.5, L = 255, mean of the channels.",
    ),
    "psnr": Score(
        "PSNR", "dB", 2, higher_is_better=True,
        definition="PSNR: peak 255 over all pixels and channels of an image, mean over "
        f"images of dB, a perfect image counted as {CAP_DB:.0f} dB.",
    ),
    "mse": Score(
        "MSE", "levels²", 1, higher_is_better=False,
        definition="MSE: mean squared error over all pixels and channels.",
    ),
    "ms_ssim": Score(
        "MS-SSIM", "", 3, higher_is_better=True,
        definition="MS-SSIM: five scales, window as SSIM, for sides above "
        f"{MS_SSIM_LARGER_THAN} pixels.",
    ),
    "ciede2000": Score(
        "CIEDE2000", "ΔE", 2, higher_is_better=False,
        definition="CIEDE2000: mean over pixels, D65.",
    ),
    "psnr_ab": Score(
        "PSNR a*b*", "dB", 2, higher_is_better=True,
        definition="PSNR a*b*: of the a* and b* channels of CIE L*a*b*, peak 255.",
    ),
    "colourfulness_difference": Score(
        "Δ colourfulness", "", 1, higher_is_better=False,
        definition="Δ colourfulness: size of the difference in Hasler and Süsstrunk's measure.",
    ),
    "gradient_correlation": Score(
        "Gradient corr.", "", 3, higher_is_better=True,
        definition="Gradient correlation: of the Sobel derivatives of luma, mean of x and y.",
    ),
    "ssim_7u": Score(
        "SSIM 7×7", "", 3, higher_is_better=True,
        definition="SSIM 7×7: uniform window of 7 pixels, sample covariance.",
    ),
    "psnr_shift": Score("PSNR shifted", "dB", 2, higher_is_better=True, definition=_SHIFTED),
    "ssim_shift": Score("SSIM shifted", "", 3, higher_is_better=True, definition=_SHIFTED),
    "psnr_gain": Score("PSNR gain", "dB", 2, higher_is_better=True, definition=_GAIN),
    "ssim_gain": Score("SSIM gain", "", 3, higher_is_better=True, definition=_GAIN),
    "edges_kept": Score(
        "APCE", "", 3, higher_is_better=True,
        definition="APCE: share of Canny's edges of what was seen that the predicted image has too, "
        "mean over thresholds.",
    ),
    "edges_f": Score(
        "Edges F", "", 3, higher_is_better=True,
        definition="Edges F: the same, with invented edges counted as wrong (F-measure).",
    ),
}  # fmt: skip
"""Scores that every image gets, in the order of the tables."""

_LPIPS: Final = (
    "LPIPS: version 0.1, mean over images, with AlexNet (the default of its package) and with "
    "VGG-16."
)
PERCEPTION: Final[dict[str, Score]] = {
    "lpips_alex": Score(
        "LPIPS (AlexNet)", "", 3, higher_is_better=False, definition=_LPIPS,
    ),
    "lpips_vgg": Score(
        "LPIPS (VGG-16)", "", 3, higher_is_better=False, definition=_LPIPS,
    ),
    "fid": Score(
        "FID", "", 1, higher_is_better=False,
        definition="FID: between all predicted and all true images of the split, features of "
        "torchvision's Inception v3 (the network of most papers is another), antialiased resizing.",
    ),
    "kid": Score(
        "KID", "", 4, higher_is_better=False,
        definition="KID: the same features, unbiased, over all images at once; may fall below 0.",
    ),
    "kid_lite": Score(
        "KID (EfficientNet-Lite0)", "", 4, higher_is_better=False,
        definition="KID (EfficientNet-Lite0): the same distance of other features, those that published "
        f"EfficientNet-Lite0 pools from images resized to 224×224; mean and SD over {SUBSETS} seeded "
        f"subsets of half the images (at most {LARGEST_SUBSET:,}), no image compared with its own pair: "
        "the truth itself has 0. The SD says nothing of other sequences. It is no FID, and no KID of "
        "Inception.",
    ),
}  # fmt: skip
"""Scores that need published weights; apart from `SCORES`, since images may lack them. FID and both KIDs
are one number per split."""

OF_COLOUR: Final = ("ciede2000", "psnr_ab", "colourfulness_difference")
"""Scores that thermal images do not get."""


def score_images(
    prediction: UInt8[Tensor, "b c h w"], truth: UInt8[Tensor, "true_b true_c true_h true_w"]
) -> dict[str, Float[Tensor, " b"]]:
    """Compute the `SCORES` of 8-bit images and their truth, one float64 value per image.

    Visible ones are sRGB; thermal ones have one channel, and no score of `OF_COLOUR`. Images are
    scored one by one: a value never depends on the batch, and an image's intermediate values stay in
    the processor's cache. Raises BadInput for images too small or of other sizes than their truth.
    """
    _refuse_unlike(prediction, truth)
    _refuse_small(truth)
    with ThreadPoolExecutor(torch.get_num_threads()) as pool:  # OpenCV and NumPy let others run
        one_by_one = list(pool.map(_all_scores, *zip(*in_pairs(prediction, truth), strict=True)))
    return {
        name: torch.tensor([scores[name] for scores in one_by_one], dtype=torch.float64)
        for name in SCORES
        if name in one_by_one[0]
    }


def _all_scores(prediction: Image, truth: Image) -> dict[str, float]:
    return _scores(prediction, truth) | _colour_scores(prediction, truth)


def _scores(prediction: Image, truth: Image) -> dict[str, float]:
    windows, true_windows = windows_of(prediction), windows_of(truth)
    error, mended = squared_error_of(prediction, truth), gain_and_bias_of(prediction, truth)
    lumas = (luma_thousandths_of(image) for image in (prediction, truth))
    if has_five_scales(truth):
        ssim, ms_ssim = ssim_and_ms_ssim_of(windows, true_windows)
    else:
        ssim, ms_ssim = ssim_of(windows, true_windows), float("nan")
    return {
        "ssim": ssim,
        "psnr": decibels_of(error),
        "mse": error,
        "ms_ssim": ms_ssim,
        "gradient_correlation": gradient_correlation_of(*lumas),
        "ssim_7u": ssim_7u_of(prediction, truth),
        "psnr_gain": decibels_of(squared_error_of(mended, truth)),
        "ssim_gain": ssim_of(windows_of(mended), true_windows),
        **_shifted_scores(prediction, truth, windows, true_windows),
    }


def _shifted_scores(
    prediction: Image, truth: Image, windows: Channels, true_windows: Channels
) -> dict[str, float]:
    """Scores after the best shift; the windows of a part are taken from those of the whole image."""
    size = truth.shape[-2:]
    here, there = under_field(best_shift_of(prediction, truth), size), under_field((0, 0), size)
    parts = [channel.part(*here) for channel in windows]
    true_parts = [channel.part(*there) for channel in true_windows]
    return {
        "psnr_shift": decibels_of(squared_error_of(prediction[:, *here], truth[:, *there])),
        "ssim_shift": ssim_of(parts, true_parts),
    }


def _colour_scores(prediction: Image, truth: Image) -> dict[str, float]:
    if len(truth) == 1:
        return {}
    predicted_lab, truth_lab = lab_of(prediction), lab_of(truth)
    return {
        "ciede2000": mean_ciede2000_of(predicted_lab, truth_lab),
        "psnr_ab": decibels_of(squared_error_ab_of(predicted_lab, truth_lab), PEAK_AB),
        "colourfulness_difference": abs(colourfulness_of(prediction) - colourfulness_of(truth)),
    }


def _refuse_unlike(prediction: UInt8[Tensor, "..."], truth: UInt8[Tensor, "..."]) -> None:
    if prediction.shape != truth.shape:
        raise BadInput(
            given=f"predicted images of the shape {tuple(prediction.shape)} are to be scored against "
            f"true ones of {tuple(truth.shape)}",
            needed="as many, of the same size and channels",
            remedy="predict anew, at the size of the crops",
        )


def _refuse_small(images: UInt8[Tensor, "b c h w"]) -> None:
    height, width = images.shape[-2:]
    if min(height, width) < SMALLEST_SIDE:
        raise BadInput(
            given=f"images of {height}x{width} pixels are to be scored",
            needed=f"both sides have at least {SMALLEST_SIDE} pixels",
            remedy="choose a larger crop size in params.yaml",
        )
