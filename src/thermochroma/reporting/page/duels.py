"""Comparisons of every row with every other, in both orders, for the page; tested in `significance`."""

from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

from thermochroma.reporting.significance import BETTER, SAME, UNDEFINED, WORSE, Wins
from thermochroma.reporting.statistics import LEVEL

LIKELY: Final = 1 - LEVEL
"""Greatest corrected p that tells two rows apart."""

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
    """Difference of two rows over the same images, one minus other. p is corrected for all pairs.

    Undefined numbers are NaN. outcome: of the one; `alike` if the two cannot be told apart.
    """

    difference: float
    low: float
    high: float
    p: float
    outcome: Outcome


def duels(wins: Wins) -> dict[tuple[str, str], Duel]:
    """Duels of all ordered pairs of rows in one score."""
    table = {}
    for one in wins.verdicts:
        found, outcome = one.difference, OUTCOMES[one.mark]
        table[one.one, one.other] = Duel(found.mean, found.low, found.high, one.p_joint, outcome)
        table[one.other, one.one] = Duel(
            -found.mean, -found.high, -found.low, one.p_joint, TURNED[outcome]
        )
    return table
