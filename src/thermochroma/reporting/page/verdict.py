"""Sentences at the head of the page, computed from the numbers; they claim what the tests show, no more."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from thermochroma.base.cells import counted
from thermochroma.metrics.image_scores import SCORES
from thermochroma.reporting.layout import Row
from thermochroma.reporting.numbers import number
from thermochroma.reporting.page.duels import LIKELY, Duel, Outcome
from thermochroma.reporting.significance import least_p
from thermochroma.reporting.statistics import Estimate, estimate

Duels = Mapping[tuple[str, str], Duel]
DRAWN = "Its scenes are drawn by a program and say nothing of real cameras."
ONE_SEQUENCE = "One test sequence: no difference can be tested"
WORDS: Mapping[Outcome, str] = {
    "better": "better",
    "worse": "worse",
    "alike": "cannot be told apart",
}


@dataclass(frozen=True)
class Field:
    """Participants: rows of one split by name, those that compete, the row to beat.

    method_of: name of each competing row to the name of its method; several rows of one method count as
    one. drawn: whether a program draws the scenes, so that the scores rank nothing.
    """

    rows: Mapping[str, Row]
    method_of: Mapping[str, str]
    reference: str
    drawn: bool = False

    @property
    def methods(self) -> dict[str, list[str]]:
        """Names of the competing rows of each method, in the order of tables."""
        found: dict[str, list[str]] = {}
        for name, method in self.method_of.items():
            found.setdefault(method, []).append(name)
        return found

    @property
    def sequences(self) -> int:
        """Number of sequences of the split."""
        return int(self.rows[self.reference].scores["sequence"].nunique())

    @property
    def flat(self) -> str:
        """Name of the row to beat, within a sentence."""
        return f"flat {self.rows[self.reference].title.lower()}"

    @property
    def noun(self) -> str:
        """Noun for one participant: method, entry, or both."""
        kinds = dict.fromkeys(self.rows[name].kind for name in self.method_of)
        return " or ".join(kinds)

    @property
    def all_of_them(self) -> str:
        """Number of participants with their noun, such as "12 methods and 1 entry"."""
        kinds = [self.rows[names[0]].kind for names in self.methods.values()]
        counts = {kind: kinds.count(kind) for kind in dict.fromkeys(kinds)}
        plural = {"method": "methods", "entry": "entries"}
        return _listed([f"{n} {kind if n == 1 else plural[kind]}" for kind, n in counts.items()])


@dataclass(frozen=True)
class Standing:
    """Means of the competing rows and of the row to beat in one score, with the tests between them."""

    score: str
    means: Mapping[str, Estimate]
    flat: Estimate
    met: Duels

    @property
    def best(self) -> str:
        """Name of the competing row with the best mean."""
        return _first(self.means, self.score)

    @property
    def title(self) -> str:
        """Title of the score."""
        return SCORES[self.score].title


@dataclass(frozen=True)
class Verdict:
    """Headline, the line below it, and a sentence for each further finding."""

    headline: str
    line: str
    findings: Sequence[str]


def verdict(field: Field, duels: Mapping[str, Duels], *, seed: int = 0) -> Verdict:
    """State who leads, if anyone does, how many beat the reference, by how much, and what no test shows.

    duels: by score. The keys of each are ordered pairs of names.
    """
    if not field.method_of:
        nothing = "The table below shows baselines and oracles only."
        return Verdict("No method of this direction was trained", nothing, ())
    standings = [_standing(field, score, met, seed) for score, met in duels.items()]
    findings = []
    for one in standings:
        findings += [] if field.drawn else [_lead(field, one)]
        findings += [_untrained(field, one, seed)]
    headline, line = _head(field, standings, seed)
    return Verdict(headline, line, [*findings, *_several(field)])


def _standing(field: Field, score: str, met: Duels, seed: int) -> Standing:
    found = {
        name: estimate(field.rows[name].scores, score, seed=seed)
        for name in (*field.method_of, field.reference)
    }
    flat = found.pop(field.reference)
    return Standing(score, found, flat, met)


def _head(field: Field, standings: Sequence[Standing], seed: int) -> tuple[str, str]:
    """Headline and line: the first of the cases that holds."""
    reason = _untestable(field.sequences)
    if field.drawn:
        told = f"{reason}." if reason else _count(field, standings)
        return "Pipeline check: these scores rank nothing", f"{DRAWN} {told}"
    if field.sequences < 2:
        return ONE_SEQUENCE, f"Its frames are near copies of each other. {_means(field, standings)}"
    if reason:
        return reason, f"{_least(field.sequences)} {_means(field, standings)}"
    if len(field.methods) == 1:
        return _alone(field, standings)
    if not any(_beaten(field, one) for one in standings):
        named = "; ".join(_against(field, one) for one in standings)
        return (
            f"No {field.noun} beats the {field.flat}",
            f"The best of {field.all_of_them} against it: {named}.",
        )
    return _leaders(field, standings, seed), _count(field, standings)


def _untestable(sequences: int) -> str:
    """Reason why no difference can be tested, without a full stop; "" if it can."""
    if sequences < 2:
        return ONE_SEQUENCE
    if least_p(sequences) > LIKELY:
        return f"{counted(sequences, 'test sequence')}: too few to tell anything apart"
    return ""


def _least(sequences: int) -> str:
    return (
        f"The least p that {sequences} sequences can give is {least_p(sequences):.2g}; "
        f"{LIKELY:.2g} is needed."
    )


def _means(field: Field, standings: Sequence[Standing]) -> str:
    """Sentence on the best means, which claims no difference."""
    held: dict[str, list[str]] = {}
    for one in standings:
        shown = f"{one.title} {_mean(one.means[one.best], one.score)}"
        held.setdefault(_title(field, one.best), []).append(shown)
    named = "; ".join(f"{title} with {_listed(shown)}" for title, shown in held.items())
    best = "Best means" if len(field.method_of) > 1 else "Means"
    return f"{best}, untested: {named}."


def _alone(field: Field, standings: Sequence[Standing]) -> tuple[str, str]:
    """Headline and line for a single method, which has nobody to lead."""
    ((method, names),) = field.methods.items()
    title = _title(field, method if method in field.rows else names[0])
    won = [one.title for one in standings if _beaten(field, one)]
    does = f"beats the {field.flat} in {_listed(won)}" if won else f"does not beat the {field.flat}"
    named = "; ".join(_against(field, one) for one in standings)
    return f"{title}, the only {field.noun} here, {does}", f"Against it: {named}."


def _against(field: Field, one: Standing) -> str:
    """Phrase on the best row against the reference in one score."""
    duel = one.met[one.best, field.reference]
    gain = f"{_signed(duel.difference, one.score)}{_unit(one.score)}"
    return f"{_title(field, one.best)} in {one.title} {gain} ({WORDS[duel.outcome]})"


def _leaders(field: Field, standings: Sequence[Standing], seed: int) -> str:
    """Headline on who leads: beats the reference and all other methods, and no baseline has more."""
    led: dict[str, list[str]] = {}
    behind = []
    for one in standings:
        beats = one.met[one.best, field.reference].outcome == "better" and not _equals(field, one)
        _, mean = _best_baseline(field, one.score, seed)
        if beats and _sign(one.score) * (one.means[one.best].mean - mean.mean) >= 0:
            led.setdefault(_title(field, one.best), []).append(one.title)
        else:
            behind.append(one.title)
    if not led:
        return f"No single {field.noun} leads"
    first, *others = [(title, _listed(scores)) for title, scores in led.items()]
    more = "".join(f", {title} in {scores}" for title, scores in others)
    none = f"; in {_listed(behind)} no {field.noun} does" if behind else ""
    return f"{first[0]} leads in {first[1]}{more}{none}"


def _count(field: Field, standings: Sequence[Standing]) -> str:
    parts = [f"{_beaten(field, one) or 'none'} in {one.title}" for one in standings]
    return f"Of {field.all_of_them}, {_listed(parts)} beat the {field.flat}."


def _beaten(field: Field, one: Standing) -> int:
    """Number of methods of which a row beats the reference."""
    return sum(
        any(one.met[name, field.reference].outcome == "better" for name in names)
        for names in field.methods.values()
    )


def _equals(field: Field, one: Standing) -> list[str]:
    """Names of the rows of other methods that cannot be told apart from the best."""
    own = field.method_of[one.best]
    return [
        name
        for name, method in field.method_of.items()
        if method != own and one.met[one.best, name].outcome != "better"
    ]


def _lead(field: Field, one: Standing) -> str:
    """Sentences on the row with the best mean: its lead over the reference and over other methods."""
    ahead, score = one.met[one.best, field.reference], one.score
    gain = number(abs(ahead.difference), SCORES[score].decimals)
    side = "above" if ahead.difference > 0 else "below"
    return (
        f"{one.title}: {_title(field, one.best)} has {_shown(one.means[one.best], score)}, "
        f"{gain}{_unit(score)} {side} the {field.flat}{_between(ahead, score)}"
        f"{_unconfirmed(field, ahead)}.{_apart(field, one)}"
    )


def _unconfirmed(field: Field, duel: Duel) -> str:
    """Half a sentence where the interval leaves out zero and the test does not tell the two apart."""
    if not leaves_out_zero(duel):
        return ""
    if _untestable(field.sequences):
        return f", which {field.sequences} sequences are too few to test"
    return (
        f"; that interval, of this pair alone, leaves out zero, but the test corrected for all pairs does "
        f"not tell the two apart (p {duel.p:.2g})"
    )


def leaves_out_zero(duel: Duel) -> bool:
    """Whether the interval of two rows leaves out zero although the test does not tell them apart."""
    return duel.outcome == "alike" and bool(duel.low > 0 or duel.high < 0)


def _apart(field: Field, one: Standing) -> str:
    """Sentence on the other methods, after a blank; "" if there are none or if nothing can be tested."""
    if len(field.methods) == 1 or _untestable(field.sequences):
        return ""
    equals = _equals(field, one)
    if not equals:
        ahead = one.met[one.best, field.reference].outcome == "better"
        return f" {'It beats every' if ahead else 'Worse is every'} other {field.noun}."
    close = [name for name in equals if leaves_out_zero(one.met[one.best, name])]
    said = f" It cannot be told apart from {_listed([_title(field, name) for name in equals])}"
    if close:
        named = _listed([_title(field, name) for name in close])
        said += f", although the interval of the pair alone leaves out zero for {named}"
    return f"{said}."


def _untrained(field: Field, one: Standing, seed: int) -> str:
    """Sentence on the best baseline, and on the number of methods with a better mean."""
    name, best = _best_baseline(field, one.score, seed)
    above = sum(
        any(_sign(one.score) * (one.means[row].mean - best.mean) > 0 for row in names)
        for names in field.methods.values()
    )
    return (
        f"{one.title} without training a network: {_title(field, name).lower()} has "
        f"{_shown(best, one.score)}; a better mean: {above or 'none'} of {field.all_of_them}."
    )


def _best_baseline(field: Field, score: str, seed: int) -> tuple[str, Estimate]:
    means = {
        name: estimate(row.scores, score, seed=seed)
        for name, row in field.rows.items()
        if row.kind in ("trivial", "probe")
    }
    name = _first(means, score)
    return name, means[name]


def _several(field: Field) -> list[str]:
    """Sentence on how methods with several rows are counted, if there are any."""
    found = [
        f"{_title(field, names[0])} ({len(names)} rows)"
        for names in field.methods.values()
        if len(names) > 1
    ]
    if not found:
        return []
    return [f"Several rows of one method count once, by their best: {_listed(found)}."]


def _first(means: Mapping[str, Estimate], score: str) -> str:
    return max(means, key=lambda name: _sign(score) * means[name].mean)


def _sign(score: str) -> int:
    return 1 if SCORES[score].higher_is_better else -1


def _title(field: Field, name: str) -> str:
    return field.rows[name].title


def _mean(found: Estimate, score: str) -> str:
    return f"{number(found.mean, SCORES[score].decimals)}{_unit(score)}"


def _shown(found: Estimate, score: str) -> str:
    decimals = SCORES[score].decimals
    inner = ""
    if np.isfinite(found.low):
        inner = f" [{number(found.low, decimals)}, {number(found.high, decimals)}]"
    return f"{_mean(found, score)}{inner}"


def _signed(value: float, score: str) -> str:
    text = number(abs(value), SCORES[score].decimals)
    return text if not float(text) else f"{'+' if value > 0 else '−'}{text}"


def _between(duel: Duel, score: str) -> str:
    if not np.isfinite(duel.low):
        return " (no interval: one sequence)"
    low, high = (_signed(value, score) for value in (duel.low, duel.high))
    return f" [difference {low} to {high}]"


def _unit(score: str) -> str:
    return f" {SCORES[score].unit}" if SCORES[score].unit else ""


def _listed(titles: Sequence[str]) -> str:
    return titles[0] if len(titles) == 1 else f"{', '.join(titles[:-1])} and {titles[-1]}"
