"""Sentences at the head of the page, computed from the numbers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from thermochroma.metrics.image_scores import SCORES
from thermochroma.reporting.layout import Row
from thermochroma.reporting.numbers import number
from thermochroma.reporting.page.duels import Duel
from thermochroma.reporting.statistics import Estimate, estimate

Duels = Mapping[tuple[str, str], Duel]


@dataclass(frozen=True)
class Field:
    """Participants: rows of one split by name, the methods that compete, the row to beat."""

    rows: Mapping[str, Row]
    methods: Sequence[str]
    reference: str


@dataclass(frozen=True)
class Verdict:
    """Headline, number of methods that beat the reference, and a sentence for each further finding."""

    headline: str
    count: str
    findings: Sequence[str]


def verdict(field: Field, duels: Mapping[str, Duels], *, seed: int = 0) -> Verdict:
    """State the leader, how many beat the reference, by how much, and if it is significant.

    duels: by score. The keys of each are ordered pairs of names.
    """
    if not field.methods:
        return Verdict(
            "No method of this direction was trained",
            "The tables below show trivial rows and oracles only.",
            (),
        )
    means = {
        score: {name: estimate(field.rows[name].scores, score, seed=seed) for name in field.methods}
        for score in duels
    }
    leaders = {score: _first(found, score) for score, found in means.items()}
    findings = []
    for score, met in duels.items():
        findings += [_lead(field, met, score, leaders[score], means[score])]
        findings += [_untrained(field, score, means[score], seed)]
    return Verdict(_headline(field, leaders), _count(field, duels), findings)


def _headline(field: Field, leaders: Mapping[str, str]) -> str:
    led: dict[str, list[str]] = {}
    for score, name in leaders.items():
        led.setdefault(_title(field, name), []).append(SCORES[score].title)
    first, *others = [(title, _listed(scores)) for title, scores in led.items()]
    behind = "".join(f", {title} in {scores}" for title, scores in others)
    return f"{first[0]} leads in {first[1]}{behind}"


def _count(field: Field, duels: Mapping[str, Duels]) -> str:
    parts = []
    for score, met in duels.items():
        won = sum(met[name, field.reference].outcome == "better" for name in field.methods)
        parts.append(f"{won} in {SCORES[score].title}")
    reference = _title(field, field.reference).lower()
    return f"Of {len(field.methods)} methods, {_listed(parts)} beat the flat {reference}."


def _lead(field: Field, met: Duels, score: str, best: str, means: Mapping[str, Estimate]) -> str:
    ahead = met[best, field.reference]
    equals = [
        _title(field, name)
        for name in field.methods
        if name != best and met[best, name].outcome == "alike"
    ]
    apart = f"cannot be told apart from {_listed(equals)}" if equals else "beats every other method"
    gain = number(abs(ahead.difference), SCORES[score].decimals)
    side = "above" if ahead.difference > 0 else "below"
    return (
        f"{SCORES[score].title}: {_title(field, best)} has {_shown(means[best], score)}, "
        f"{gain}{_unit(score)} {side} the {_title(field, field.reference).lower()}"
        f"{_between(ahead, score)}. It {apart}."
    )


def _untrained(field: Field, score: str, means: Mapping[str, Estimate], seed: int) -> str:
    """Sentence on the best trivial row, and on the number of methods with a better mean."""
    trivial = {
        name: estimate(row.scores, score, seed=seed)
        for name, row in field.rows.items()
        if row.kind == "trivial"
    }
    best = _first(trivial, score)
    above = sum(_sign(score) * (one.mean - trivial[best].mean) > 0 for one in means.values())
    return (
        f"Without any learning, {_title(field, best).lower()} has {_shown(trivial[best], score)}; "
        f"{above} of {len(means)} methods have a higher mean."
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
