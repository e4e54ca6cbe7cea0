"""Tests of every row against every other, in pairs of frames, corrected for the number of pairs.

The sampling unit is the sequence, as in `statistics`. Two rows are told apart where the corrected p
is at most 5 %; where they are not, the matrix says "=", whatever their means.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations, pairwise
from typing import Final

import numpy as np
import pandas as pd
from jaxtyping import Float

from thermochroma.base.cells import counted, csv_table, markdown_table
from thermochroma.base.errors import BadInput
from thermochroma.metrics.image_scores import SCORES
from thermochroma.reporting.statistics import (
    EXACT_UP_TO,
    FLIPS,
    LEVEL,
    Estimate,
    intervals,
    refuse_other_frames,
    sign_patterns,
)

COMPARED: Final = ("ssim", "psnr")
"""Scores in which rows are compared; higher is better in both."""
SAME, BETTER, WORSE, UNDEFINED = "=", "▲", "▼", "–"
CSV_HEAD: Final = (
    *("dataset", "split", "score", "one", "other", "difference", "low", "high"),
    *("p", "p_joint", "verdict"),
)


@dataclass(frozen=True)
class Verdict:
    """Test of one row against another. difference: `one` minus `other`, with its uncorrected interval.

    p: two-sided, of the paired sign-flip test; p_joint: corrected for all pairs. NaN where there are
    fewer than two sequences.
    """

    one: str
    other: str
    difference: Estimate
    p: float
    p_joint: float

    @property
    def mark(self) -> str:
        """Mark: ▲ if `one` is better, ▼ if it is worse, = if they cannot be told apart, – if undefined."""
        if np.isnan(self.p_joint):
            return UNDEFINED
        if self.p_joint > 1 - LEVEL:
            return SAME
        return BETTER if self.difference.mean > 0 else WORSE


@dataclass(frozen=True)
class Wins:
    """Verdicts on all pairs in one score, and the means of the rows, by name."""

    score: str
    means: Mapping[str, float]
    verdicts: tuple[Verdict, ...]

    def between(self, one: str, other: str) -> Verdict:
        """Verdict on a pair of rows given in either order; its own order is that of the test."""
        return next(each for each in self.verdicts if {each.one, each.other} == {one, other})


def compare_pairs(rows: Mapping[str, pd.DataFrame], score: str, *, seed: int = 0) -> Wins:
    """Test every pair of rows on the same frames. rows: name to table, one line per image.

    Raises BadInput if two rows were not scored on the same frames, or if a value is missing.
    """
    first = next(iter(rows.values())).sort_values("frame")
    for name, scores in rows.items():
        refuse_other_frames(first, scores)
        _refuse_gaps(name, scores, score)
    values = np.stack(
        [scores.sort_values("frame")[score].to_numpy(float) for scores in rows.values()], axis=1
    )
    sequences, _ = pd.factorize(first["sequence"], sort=True)
    belongs = np.eye(sequences.max() + 1)[sequences].T
    sums, counts = belongs @ values, belongs.sum(axis=1)
    pairs = list(combinations(range(len(rows)), 2))
    differences = np.stack([sums[:, a] - sums[:, b] for a, b in pairs], axis=1)
    low, high = intervals(differences, counts, seed=seed)
    p, joint = _sign_flips(differences, seed)
    names, images = list(rows), len(first)
    means = differences.sum(axis=0) / images
    verdicts = tuple(
        Verdict(
            names[a],
            names[b],
            Estimate(float(means[k]), float(low[k]), float(high[k]), images, len(counts)),
            p=float(p[k]),
            p_joint=float(joint[k]),
        )
        for k, (a, b) in enumerate(pairs)
    )
    return Wins(score, dict(zip(names, values.mean(axis=0).tolist(), strict=True)), verdicts)


def least_p(sequences: int) -> float:
    """Least p that the test can give with so many sequences, corrected or not; NaN below two."""
    if sequences < 2:
        return np.nan
    least = 2.0 ** (1 - sequences)
    return least if sequences <= EXACT_UP_TO else max(least, 1 / (1 + FLIPS))


def _refuse_gaps(name: str, scores: pd.DataFrame, score: str) -> None:
    if missing := int(scores[score].isna().sum()):
        raise BadInput(
            given=f"the row `{name}` has no {score} for {missing} of its {len(scores)} images",
            needed="a value for every image: rows are compared image by image",
            remedy="look for the frame in its scores.csv, then run `dvc repro` again",
        )


def _sign_flips(
    differences: Float[np.ndarray, "s k"], seed: int
) -> tuple[Float[np.ndarray, " k"], Float[np.ndarray, " k"]]:
    """Compute p of each pair by itself, and corrected jointly: Westfall and Young's step-down maximum.

    A pattern flips all differences of a sequence at once. Each pair's sum is divided by the root of its
    sum of squares, which no flip changes, so that pairs with large and with small differences count
    alike.
    """
    n, k = differences.shape
    if n < 2:
        return np.full(k, np.nan), np.full(k, np.nan)
    size = np.sqrt((differences**2).sum(axis=0))
    unit = np.divide(differences, size, out=np.zeros_like(differences), where=size != 0)
    observed = np.abs(unit.sum(axis=0)) - 1e-9  # equal sums may differ in the last bits
    reached = np.abs(sign_patterns(n, seed=seed) @ unit)
    order = np.argsort(
        observed, kind="stable"
    )  # weakest first: a pair is compared with itself and all weaker
    strongest = np.maximum.accumulate(reached[:, order], axis=1)
    joint = np.empty(k)
    steps = (strongest >= observed[order]).mean(axis=0)
    joint[order] = np.maximum.accumulate(steps[::-1])[::-1]
    return (reached >= observed).mean(axis=0), joint


def to_markdown(all_wins: Sequence[Wins], titles: Mapping[str, str], *, about: str) -> str:
    """Write a matrix per score, the best mean first, and the tests of neighbours in that order."""
    verdicts = all_wins[0].verdicts
    parts = [_caption(about, verdicts)]
    for wins in all_wins:
        ranked = sorted(wins.means, key=lambda name: wins.means[name], reverse=True)
        parts += [f"### {SCORES[wins.score].title}", _matrix(wins, ranked, titles)]
        parts.append(_neighbours(wins, ranked, titles))
    return "\n\n".join(parts) + "\n"


def to_csv(all_wins: Sequence[Wins], *, dataset: str, split: str) -> str:
    """Write one line per pair and score, with numbers of 6 digits."""
    lines: list[Sequence[str]] = [CSV_HEAD]
    for wins in all_wins:
        for each in wins.verdicts:
            found = each.difference
            numbers = (found.mean, found.low, found.high, each.p, each.p_joint)
            shown = ["" if np.isnan(number) else f"{number:.6g}" for number in numbers]
            lines.append([dataset, split, wins.score, each.one, each.other, *shown, each.mark])
    return csv_table(lines)


def _matrix(wins: Wins, ranked: Sequence[str], titles: Mapping[str, str]) -> str:
    decimals = SCORES[wins.score].decimals
    lines = [
        ["", "Row", "Mean", *(str(place) for place, _ in enumerate(ranked, 1)), "▲ = ▼"],
        ["--:", ":--", "--:", *[":-:"] * (len(ranked) + 1)],
    ]
    for place, name in enumerate(ranked, 1):
        marks = [_mark(wins, name, other) for other in ranked]
        cells = [
            _cell(wins, name, other, mark, decimals)
            for other, mark in zip(ranked, marks, strict=True)
        ]
        counts = " / ".join(str(marks.count(mark)) for mark in (BETTER, SAME, WORSE))
        mean = f"{wins.means[name]:.{decimals}f}"
        lines.append([str(place), titles[name], mean, *cells, counts])
    return markdown_table(*lines)


def _mark(wins: Wins, name: str, other: str) -> str:
    """Mark of the row `name` against the column `other`; "" against itself."""
    if name == other:
        return ""
    found = wins.between(name, other)
    turned = {BETTER: WORSE, WORSE: BETTER}
    return found.mark if found.one == name else turned.get(found.mark, found.mark)


def _cell(wins: Wins, name: str, other: str, mark: str, decimals: int) -> str:
    if mark not in {BETTER, WORSE}:
        return mark
    return f"{mark} {abs(wins.between(name, other).difference.mean):.{decimals}f}"


def _neighbours(wins: Wins, ranked: Sequence[str], titles: Mapping[str, str]) -> str:
    decimals = SCORES[wins.score].decimals
    lines = [
        ["Row", "against the next", "difference", "p", "p, jointly", ""],
        [":--", ":--", "--:", "--:", "--:", ":-:"],
    ]
    for name, other in pairwise(ranked):
        found = wins.between(name, other)
        sign = 1 if found.one == name else -1
        ends = sorted((sign * found.difference.low, sign * found.difference.high))
        inner = "–" if np.isnan(ends).any() else f"{ends[0]:+.{decimals}f}, {ends[1]:+.{decimals}f}"
        difference = f"{sign * found.difference.mean:+.{decimals}f} [{inner}]"
        ps = ["–" if np.isnan(p) else f"{p:.4f}" for p in (found.p, found.p_joint)]
        lines.append([titles[name], titles[other], difference, *ps, _mark(wins, name, other)])
    return markdown_table(*lines)


def _caption(about: str, verdicts: Sequence[Verdict]) -> str:
    """Caption: meaning of the marks, and the smallest p that this number of sequences can give."""
    n, pairs = verdicts[0].difference.sequences, len(verdicts)
    said = (
        f"{about} Each row against each column, by the mean of the differences frame by frame: ▲ the "
        f"row is better, ▼ worse, = they cannot be told apart. Tested with two-sided sign flips over "
        f"{counted(n, 'sequence')} (all patterns up to {EXACT_UP_TO}, else {FLIPS:,} drawn). A mark "
        f"needs a p of at most {1 - LEVEL:.0%} after a correction for all {pairs} pairs of the matrix, "
        "taken jointly (Westfall and Young's step-down maximum over the same flips, which accounts for "
        f"the likeness of pairs). In brackets the {LEVEL:.0%} interval of a pair by itself; all pairs, "
        "with theirs, are in the CSV file."
    )
    if n < 2:
        return f"{said}\n\n–: not defined with fewer than two sequences: nothing can be told apart."
    least = least_p(n)
    said += (
        f"\n\nThe least p that {counted(n, 'sequence')} can give, corrected or not, is {least:.2g}."
    )
    if least > 1 - LEVEL:
        said += " These sequences are too few for any verdict."
    return said
