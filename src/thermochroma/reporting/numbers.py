"""Numbers as tables show them."""

from typing import Final

import numpy as np

from thermochroma.metrics.image_scores import Score
from thermochroma.reporting.layout import Cell
from thermochroma.reporting.statistics import Estimate

UNDEFINED: Final = "–"


def number(value: float, decimals: int) -> str:
    """Format a number with fixed decimals, what rounds to zero without a sign, and NaN as "–"."""
    return UNDEFINED if np.isnan(value) else f"{value:z.{decimals}f}"


def digits(value: float) -> str:
    """Format a number with three significant digits, never with an exponent."""
    decimals = 2 - int(np.floor(np.log10(abs(value)))) if value else 0
    return f"{value:,.{max(0, decimals)}f}"


def heading(score: Score) -> str:
    """Heading of a score: title, unit and the better direction."""
    unit = f" [{score.unit}]" if score.unit else ""
    return f"{score.title}{unit} {'↑' if score.higher_is_better else '↓'}"


def with_interval(found: Estimate, decimals: int) -> Cell:
    """Cell with a mean, and its interval in brackets."""
    mean, low, high = (number(value, decimals) for value in (found.mean, found.low, found.high))
    inner = UNDEFINED if np.isnan(found.low) else f"{low}, {high}"
    return Cell(found.mean, f"{mean} [{inner}]", found.low, found.high)
