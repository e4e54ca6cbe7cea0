"""Every row against every other, in both orders, as the page shows it; `wins` tells them apart."""

from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

from thermochroma.reporting.significance import BETTER, SAME, UNDEFINED, WORSE, Wins
from thermochroma.reporting.statistics import LEVEL

LIKELY: Final = 1 - LEVEL
"""Corrected p values up to this tell two rows apart."""

Outcome: TypeAlias = Literal["better", "worse", "alike"]
OUTCOMES: Final[dict[str, Outcome]] = {
    BETTER: "better",
    WORSE: "worse",
    SAME: "alike",
    UNDEFINED: "alike",  # without a test nothing is told apart
}
TURNED: Final[dict[Outcome, Outcome]] = {"better": "worse", "worse": "better", "alike": "alike"}


@dataclass(frozen=True)
class Duel:
    """One row less another, over the same images. p is corrected for all pairs; NaN: not defined.

    outcome: what may be said of the one; `alike` means that the two cannot be told apart.
    """

    difference: float
    low: float
    high: float
    p: float
    outcome: Outcome


def duels(wins: Wins) -> dict[tuple[str, str], Duel]:
    """All ordered pairs of rows in one score."""
    table = {}
    for one in wins.verdicts:
        found, outcome = one.difference, OUTCOMES[one.mark]
        table[one.one, one.other] = Duel(found.mean, found.low, found.high, one.p_joint, outcome)
        table[one.other, one.one] = Duel(
            -found.mean, -found.high, -found.low, one.p_joint, TURNED[outcome]
        )
    return table
