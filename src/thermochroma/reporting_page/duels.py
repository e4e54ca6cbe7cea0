"""Every row against every other: the difference, its interval, and whether it can be told from none."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Final, Literal, TypeAlias

import numpy as np
import pandas as pd

from thermochroma.metrics.picture_scores import SCORES
from thermochroma.reporting.statistics import better_than, paired_difference

LIKELY: Final = 0.05
"""Corrected p values up to this tell two rows apart."""

Outcome: TypeAlias = Literal["better", "worse", "alike"]


@dataclass(frozen=True)
class Duel:
    """One row less another, over the same pictures. p is corrected for all pairs; NaN: not defined.

    outcome: what may be said of the one; `alike` means that the two cannot be told apart.
    """

    difference: float
    low: float
    high: float
    p: float
    outcome: Outcome


def duels(
    rows: Mapping[str, pd.DataFrame], score: str, *, seed: int = 0
) -> dict[tuple[str, str], Duel]:
    """All ordered pairs of rows (name to scores, one line a picture) in one score.

    p is twice the one-sided p of the paired sign-flip test over sequences, in the direction of the
    observed difference, corrected over all pairs (Holm 1979). Raises BadInput if two rows do not hold
    the same frames.
    """
    higher = SCORES[score].higher_is_better
    pairs = list(combinations(rows, 2))
    found = [paired_difference(rows[a], rows[b], score, seed=seed) for a, b in pairs]
    raw = []
    for (a, b), one in zip(pairs, found, strict=True):
        ahead, behind = (a, b) if (one.mean > 0) == higher else (b, a)
        p = better_than(rows[ahead], rows[behind], score, higher_is_better=higher, seed=seed)
        raw.append(min(1.0, 2 * p) if np.isfinite(p) else np.nan)
    table = {}
    for (a, b), one, p in zip(pairs, found, corrected(raw), strict=True):
        outcome = _outcome(one.mean if higher else -one.mean, p)
        table[a, b] = Duel(one.mean, one.low, one.high, p, outcome)
        table[b, a] = Duel(-one.mean, -one.high, -one.low, p, _turned(outcome))
    return table


def corrected(p: Sequence[float]) -> list[float]:
    """Holm's step-down correction: the n-th smallest of m values times m - n + 1, never falling.

    Values that are not defined (NaN) stay so and do not count.
    """
    values = np.asarray(p, dtype=float)
    order = np.argsort(values)[: int(np.isfinite(values).sum())]
    steps = values[order] * np.arange(len(order), 0, -1)
    values[order] = np.minimum(1, np.maximum.accumulate(steps))
    return [float(value) for value in values]


def _outcome(gain: float, p: float) -> Outcome:
    if not p <= LIKELY:  # NaN as well: without a test nothing is told apart
        return "alike"
    return "better" if gain > 0 else "worse"


def _turned(outcome: Outcome) -> Outcome:
    turned: dict[Outcome, Outcome] = {"better": "worse", "worse": "better", "alike": "alike"}
    return turned[outcome]
