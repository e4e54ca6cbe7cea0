"""The list of scores, and the one function that takes them all: for methods and baselines alike."""

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
from thermochroma.metrics.fidelity import (
    CAP_DB,
    MS_SSIM_LARGER_THAN,
    Picture,
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
    """What a column of numbers means, and with how many decimals it is shown."""

    title: str
    unit: str
    decimals: int
    higher_is_better: bool
    definition: str


_SHIFTED = (
    f"Shifted: after the best whole-pixel global shift within ±{REACH} pixels, over the truth "
    f"without a border of {REACH} pixels."
)
_GAIN = "Gain: after one gain and one bias a picture (least squares), clamped and rounded."

SCORES: Final[dict[str, Score]] = {
    "ssim": Score(
        "SSIM", "", 3, higher_is_better=True,
        definition="SSIM: Gaussian window of 11 pixels, sigma 1.5, L = 255, mean of the channels.",
    ),
    "psnr": Score(
        "PSNR", "dB", 2, higher_is_better=True,
        definition="PSNR: peak 255 over all pixels and channels of a picture, mean over "
        f"pictures of dB, a perfect picture counted as {CAP_DB:.0f} dB.",
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
        definition="APCE: share of Canny's edges of what was seen that the painted picture has too, "
        "mean over thresholds.",
    ),
    "edges_f": Score(
        "Edges F", "", 3, higher_is_better=True,
        definition="Edges F: the same, with invented edges counted as wrong (F-measure).",
    ),
}  # fmt: skip
"""Every score a picture gets, in the order of the tables."""

PERCEPTION: Final[dict[str, Score]] = {
    "lpips": Score(
        "LPIPS", "", 3, higher_is_better=False,
        definition="LPIPS: version 0.1 with VGG-16, mean over pictures.",
    ),
    "fid": Score(
        "FID", "", 1, higher_is_better=False,
        definition="FID: between all painted and all true pictures of the split, features of "
        "torchvision's Inception v3 (the network of most papers is another), antialiased resizing.",
    ),
    "kid": Score(
        "KID", "", 4, higher_is_better=False,
        definition="KID: the same features, unbiased, over all pictures at once; may fall below 0.",
    ),
}  # fmt: skip
"""Scores that published weights alone can give; apart from `SCORES`, since pictures may lack them. FID
and KID are one number a split."""

OF_COLOUR: Final = ("ciede2000", "psnr_ab", "colourfulness_difference")
"""Scores that thermal pictures do not get."""


def score_pictures(
    painted: UInt8[Tensor, "b c h w"], truth: UInt8[Tensor, "true_b true_c true_h true_w"]
) -> dict[str, Float[Tensor, " b"]]:
    """The `SCORES` of a picture and its truth, one float64 value a picture, for 8-bit pictures.

    Visible ones are sRGB; thermal ones have one channel, and no score of `OF_COLOUR`. Pictures are
    scored one by one: a value never depends on the batch, and a picture's intermediate values stay in
    the processor's cache. Raises BadInput for pictures too small or of other sizes than their truth.
    """
    _refuse_unlike(painted, truth)
    _refuse_small(truth)
    with ThreadPoolExecutor(torch.get_num_threads()) as pool:  # OpenCV and NumPy let others run
        one_by_one = list(pool.map(_all_scores, *zip(*in_pairs(painted, truth), strict=True)))
    return {
        name: torch.tensor([scores[name] for scores in one_by_one], dtype=torch.float64)
        for name in SCORES
        if name in one_by_one[0]
    }


def _all_scores(painted: Picture, truth: Picture) -> dict[str, float]:
    return _scores(painted, truth) | _colour_scores(painted, truth)


def _scores(painted: Picture, truth: Picture) -> dict[str, float]:
    windows, true_windows = windows_of(painted), windows_of(truth)
    error, mended = squared_error_of(painted, truth), gain_and_bias_of(painted, truth)
    lumas = (luma_thousandths_of(picture) for picture in (painted, truth))
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
        "ssim_7u": ssim_7u_of(painted, truth),
        "psnr_gain": decibels_of(squared_error_of(mended, truth)),
        "ssim_gain": ssim_of(windows_of(mended), true_windows),
        **_shifted_scores(painted, truth, windows, true_windows),
    }


def _shifted_scores(
    painted: Picture, truth: Picture, windows: Channels, true_windows: Channels
) -> dict[str, float]:
    """The windows of a part of a picture are known from the whole."""
    size = truth.shape[-2:]
    here, there = under_field(best_shift_of(painted, truth), size), under_field((0, 0), size)
    parts = [channel.part(*here) for channel in windows]
    true_parts = [channel.part(*there) for channel in true_windows]
    return {
        "psnr_shift": decibels_of(squared_error_of(painted[:, *here], truth[:, *there])),
        "ssim_shift": ssim_of(parts, true_parts),
    }


def _colour_scores(painted: Picture, truth: Picture) -> dict[str, float]:
    if len(truth) == 1:
        return {}
    painted_lab, truth_lab = lab_of(painted), lab_of(truth)
    return {
        "ciede2000": mean_ciede2000_of(painted_lab, truth_lab),
        "psnr_ab": decibels_of(squared_error_ab_of(painted_lab, truth_lab), PEAK_AB),
        "colourfulness_difference": abs(colourfulness_of(painted) - colourfulness_of(truth)),
    }


def _refuse_unlike(painted: UInt8[Tensor, "..."], truth: UInt8[Tensor, "..."]) -> None:
    if painted.shape != truth.shape:
        raise BadInput(
            given=f"painted pictures of the shape {tuple(painted.shape)} are to be scored against "
            f"true ones of {tuple(truth.shape)}",
            needed="as many, of the same size and channels",
            remedy="paint anew, at the size of the crops",
        )


def _refuse_small(pictures: UInt8[Tensor, "b c h w"]) -> None:
    height, width = pictures.shape[-2:]
    if min(height, width) < SMALLEST_SIDE:
        raise BadInput(
            given=f"pictures of {height}x{width} pixels are to be scored",
            needed=f"both sides have at least {SMALLEST_SIDE} pixels",
            remedy="choose a larger crop size in params.yaml",
        )
