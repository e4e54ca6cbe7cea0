"""Means, intervals and tests of scores of images. The sampling unit is the sequence.

Neighbouring frames of a video are near copies, so an interval over frames would be too narrow. Every
function takes a table with one row per image and the columns frame, sequence and the scores; an image
without a value for a score (NaN) is left out of that score. Undefined results are NaN.
"""

from dataclasses import dataclass
from functools import cache
from typing import Final

import numpy as np
import pandas as pd
from jaxtyping import Float
from scipy.special import ndtr, stdtrit

from thermochroma.base.errors import BadInput
from thermochroma.metrics.fidelity import CAP_DB
from thermochroma.metrics.windows import PEAK

RESAMPLES: Final = 10_000
LEVEL: Final = 0.95
EXACT_UP_TO: Final = 12
"""Number of sequences up to which all 2^n sign patterns are tried; beyond, `FLIPS` of them are drawn."""
FLIPS: Final = 10_000


@dataclass(frozen=True)
class Estimate:
    """Mean over images and its interval over sequences; NaN where it is not defined."""

    mean: float
    low: float
    high: float
    images: int
    sequences: int


def estimate(scores: pd.DataFrame, score: str, *, seed: int = 0) -> Estimate:
    """Mean of `score` over images and its 95 % interval over resampled sequences.

    Sequences are drawn with replacement, 10,000 times; each draw's value is the mean over the
    images of the sequences drawn. The interval lies between two percentiles of these, wider for few
    sequences (`tail`). Fewer than two sequences have no interval (NaN).
    """
    sums, counts = _by_sequence(scores, score)
    if len(counts) == 0:
        return Estimate(np.nan, np.nan, np.nan, 0, 0)
    low, high = _interval(sums, counts, seed)
    return Estimate(sums.sum() / counts.sum(), low, high, int(counts.sum()), len(counts))


def paired_difference(
    one: pd.DataFrame, other: pd.DataFrame, score: str, *, seed: int = 0
) -> Estimate:
    """Estimate of `score` in `one` minus in `other`, image by image, over the same sequences.

    Raises BadInput if the two tables do not hold the same frames.
    """
    return estimate(_differences(one, other, score), score, seed=seed)


def better_than(
    one: pd.DataFrame,
    other: pd.DataFrame,
    score: str,
    *,
    higher_is_better: bool,
    seed: int = 0,
) -> float:
    """One-sided p value of the paired sign-flip test over sequences: is `one` better than `other`?

    If both were equally good, each sequence's summed difference could as well have the other sign.
    p is the share of sign patterns whose mean difference is at least the observed one: all 2^n
    patterns up to 12 sequences, else 10,000 drawn ones and the observed. NaN below two sequences.
    Raises BadInput if the two tables do not hold the same frames.
    """
    sums, _ = _by_sequence(_differences(one, other, score), score)
    if len(sums) < 2:
        return np.nan
    gains = sums if higher_is_better else -sums
    observed = gains.sum() - 1e-9 * np.abs(gains).sum()  # equal sums may differ in the last bits
    return float(np.mean(sign_patterns(len(gains), seed=seed) @ gains >= observed))


def tail(n: int) -> float:
    """Share of draws beyond each end of the interval, for n sequences (at least 2).

    2.5 % for very many, less for few: the plain percentiles of n sequences are too narrow, like a normal
    interval that divides by n and does not use the t distribution (Hesterberg 2015, The American
    Statistician 69(4), 371-386: the expanded percentile interval).
    """
    return float(ndtr(np.sqrt(n / (n - 1)) * stdtrit(n - 1, (1 - LEVEL) / 2)))


def sign_patterns(n: int, *, seed: int) -> Float[np.ndarray, "patterns n"]:
    """Signs, 1 and -1, of n sequences: all 2^n patterns up to 12, else the observed one (all 1) first
    and 10,000 drawn ones, the same for all methods."""
    return _all_signs(n) if n <= EXACT_UP_TO else _drawn_signs(n, seed)


def pooled_psnr(scores: pd.DataFrame) -> float:
    """PSNR in dB of the mean of `mse` over all images, as printed by code that averages errors."""
    error = float(scores["mse"].mean())
    return CAP_DB if error == 0 else min(CAP_DB, 10 * float(np.log10(PEAK**2 / error)))


def _by_sequence(
    scores: pd.DataFrame, score: str
) -> tuple[Float[np.ndarray, " s"], Float[np.ndarray, " s"]]:
    """Sum of the score and number of its images for each sequence, in the order of names."""
    groups = scores[["sequence", score]].dropna().groupby("sequence", sort=True)[score]
    return groups.sum().to_numpy(dtype=float), groups.count().to_numpy(dtype=float)


def _interval(
    sums: Float[np.ndarray, " s"], counts: Float[np.ndarray, " s"], seed: int
) -> tuple[float, float]:
    low, high = intervals(sums[:, None], counts, seed=seed)
    return float(low[0]), float(high[0])


def intervals(
    sums: Float[np.ndarray, "s k"], counts: Float[np.ndarray, " s"], *, seed: int
) -> tuple[Float[np.ndarray, " k"], Float[np.ndarray, " k"]]:
    """Ends of the intervals of k means. sums, counts: sums of values and numbers of images, for each
    of s sequences. NaN below two sequences."""
    if len(counts) < 2:
        nothing = np.full(sums.shape[1], np.nan)
        return nothing, nothing
    drawn = _resampled(len(counts), seed)
    means = (drawn @ sums) / (drawn @ counts)[:, None]
    out = tail(len(counts))
    low, high = np.quantile(means, [out, 1 - out], axis=0)
    return low, high


def _differences(one: pd.DataFrame, other: pd.DataFrame, score: str) -> pd.DataFrame:
    refuse_other_frames(one, other)
    pairs = one[["frame", "sequence", score]].merge(
        other[["frame", score]], on="frame", suffixes=("", "_other"), validate="one_to_one"
    )
    return pairs.assign(**{score: pairs[score] - pairs[f"{score}_other"]})


def refuse_other_frames(one: pd.DataFrame, other: pd.DataFrame) -> None:
    """Raise BadInput if the two tables do not hold the same frames, each once."""
    if sorted(one["frame"]) != sorted(other["frame"]):
        strange = set(one["frame"]) ^ set(other["frame"])
        raise BadInput(
            given=f"two rows of a table were scored on {len(one)} and {len(other)} images, "
            f"{len(strange)} of them not shared",
            needed="all rows of a table are scored on the same frames",
            remedy="run `dvc repro` so that every row is evaluated on the present crops",
        )


@cache
def _resampled(n: int, seed: int) -> Float[np.ndarray, "draws n"]:
    """Number of times that each sequence is drawn; depends on n and seed only, so on no method."""
    drawn = np.random.default_rng(seed).multinomial(n, np.full(n, 1 / n), size=RESAMPLES)
    return drawn.astype(np.float64)


@cache
def _all_signs(n: int) -> Float[np.ndarray, "patterns n"]:
    """Matrix of all 2^n patterns of -1 and 1."""
    patterns = np.arange(2**n)[:, None] >> np.arange(n) & 1
    return patterns * 2.0 - 1


@cache
def _drawn_signs(n: int, seed: int) -> Float[np.ndarray, "patterns n"]:
    drawn = np.random.default_rng(seed).choice([-1.0, 1.0], size=(FLIPS, n))
    return np.vstack([np.ones((1, n)), drawn])
