"""Means over the scores of images, one number per split. Imports nothing heavy."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from thermochroma.base.manifest import FACTS


def means(scores: pd.DataFrame) -> dict[str, float]:
    """Mean of each score over images; a score that no image has is left out."""
    numbers = scores.drop(columns=FACTS).mean()
    return {str(name): float(value) for name, value in numbers.items() if np.isfinite(value)}


def mean_of_draws(draws: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """Mean of several tables of scores of the same frames, in the same order, score by score."""
    names = [name for name in draws[0].columns if name not in FACTS]
    means = np.mean([draw[names].to_numpy(float) for draw in draws], axis=0)
    return draws[0].assign(**dict(zip(names, means.T, strict=True)))


def mean_of_distances(
    draws: Sequence[Mapping[str, Mapping[str, float]]],
) -> dict[str, dict[str, float]]:
    """Mean of each distance, by split, over several draws or runs of the same frames."""
    return {
        split: {name: float(np.mean([draw[split][name] for draw in draws])) for name in known}
        for split, known in draws[0].items()
    }


def as_readings(summary: Mapping[str, Mapping[str, float]]) -> dict[str, float]:
    """Means by split, under names that differ from those of readings in training."""
    return {
        f"evaluation/{split}/{name}": value
        for split, row in summary.items()
        for name, value in row.items()
    }
