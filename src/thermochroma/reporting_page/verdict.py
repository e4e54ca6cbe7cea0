"""The sentences at the head of the page, computed from the numbers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from thermochroma.metrics.picture_scores import SCORES
from thermochroma.reporting.statistics import Estimate, estimate
from thermochroma.reporting.table import Row, number
from thermochroma.reporting_page.duels import Duel

Duels = Mapping[tuple[str, str], Duel]


@dataclass(frozen=True)
class Field:
    """Who took part: rows of one split by name, the methods that compete, the row to beat."""

    rows: Mapping[str, Row]
    methods: Sequence[str]
    reference: str


def verdict(field: Field, duels: Mapping[str, Duels], *, seed: int = 0) -> list[str]:
    """Who beats the reference, who is best and whether that is real; duels: by score.

    The first sentence is the headline.
    """
    if not field.methods:
        return ["No method of this direction was trained: the table has trivial rows and oracles."]
    found = [_headline(field, duels)]
    for score, met in duels.items():
        means = {
            name: estimate(field.rows[name].scores, score, seed=seed) for name in field.methods
        }
        found += [_best(field, met, score, means), _untrained(field, score, means)]
    return found


def _headline(field: Field, duels: Mapping[str, Duels]) -> str:
    parts = []
    for score, met in duels.items():
        won = sum(met[name, field.reference].outcome == "better" for name in field.methods)
        parts.append(f"{won} of {len(field.methods)} in {SCORES[score].title}")
    return f"Methods that beat the {_title(field, field.reference).lower()}: {', '.join(parts)}."


def _best(field: Field, met: Duels, score: str, means: Mapping[str, Estimate]) -> str:
    best = _first(means, score)
    ahead = met[best, field.reference]
    equals = [
        _title(field, name)
        for name in field.methods
        if name != best and met[best, name].outcome == "alike"
    ]
    apart = f"cannot be told apart from {_listed(equals)}" if equals else "is ahead of all others"
    gain = number(abs(ahead.difference), SCORES[score].decimals)
    side = "more" if ahead.difference > 0 else "less"
    return (
        f"Highest {SCORES[score].title}: {_title(field, best)} with {_shown(means[best], score)}, "
        f"{gain}{_unit(score)} {side} than the {_title(field, field.reference).lower()}"
        f"{_between(ahead, score)}. It {apart}."
    )


def _untrained(field: Field, score: str, means: Mapping[str, Estimate]) -> str:
    """The best row without any training, and how many methods lie above it."""
    trivial = {
        name: estimate(row.scores, score)
        for name, row in field.rows.items()
        if row.kind == "trivial"
    }
    best = _first(trivial, score)
    above = sum(_sign(score) * (one.mean - trivial[best].mean) > 0 for one in means.values())
    return (
        f"The best trivial row in {SCORES[score].title}, {_title(field, best).lower()}, reaches "
        f"{_shown(trivial[best], score)}; {above} of {len(means)} methods have a higher mean."
    )


def _first(means: Mapping[str, Estimate], score: str) -> str:
    return max(means, key=lambda name: _sign(score) * means[name].mean)


def _sign(score: str) -> int:
    return 1 if SCORES[score].higher_is_better else -1


def _title(field: Field, name: str) -> str:
    return field.rows[name].title


def _shown(found: Estimate, score: str) -> str:
    decimals = SCORES[score].decimals
    inner = ""
    if np.isfinite(found.low):
        inner = f" [{number(found.low, decimals)}, {number(found.high, decimals)}]"
    return f"{number(found.mean, decimals)}{_unit(score)}{inner}"


def _between(duel: Duel, score: str) -> str:
    if not np.isfinite(duel.low):
        return " (no interval: too few sequences)"
    low, high = (number(value, SCORES[score].decimals) for value in (duel.low, duel.high))
    return f" [difference {low} to {high}]"


def _unit(score: str) -> str:
    return f" {SCORES[score].unit}" if SCORES[score].unit else ""


def _listed(titles: Sequence[str]) -> str:
    return titles[0] if len(titles) == 1 else f"{', '.join(titles[:-1])} and {titles[-1]}"
