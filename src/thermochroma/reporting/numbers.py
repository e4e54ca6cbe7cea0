"""Numbers as tables show them."""

from typing import Final

import numpy as np

from thermochroma.metrics.image_scores import Score
from thermochroma.reporting.layout import Cell
from thermochroma.reporting.statistics import Estimate

UNDEFINED: Final = "–"


def number(value: float, decimals: int) -> str:
    """A number with fixed decimals; what is not defined is "–"."""
    return UNDEFINED if np.isnan(value) else f"{value:.{decimals}f}"


def digits(value: float) -> str:
    """Three significant digits, never an exponent."""
    decimals = 2 - int(np.floor(np.log10(abs(value)))) if value else 0
    return f"{value:,.{max(0, decimals)}f}"


def heading(score: Score) -> str:
    """Title, unit and the direction that is better."""
    unit = f" [{score.unit}]" if score.unit else ""
    return f"{score.title}{unit} {'↑' if score.higher_is_better else '↓'}"


def with_interval(found: Estimate, decimals: int) -> Cell:
    """A mean with its interval in brackets."""
    mean, low, high = (number(value, decimals) for value in (found.mean, found.low, found.high))
    inner = UNDEFINED if np.isnan(found.low) else f"{low}, {high}"
    return Cell(found.mean, f"{mean} [{inner}]", found.low, found.high)
