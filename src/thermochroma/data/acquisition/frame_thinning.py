"""Thinning: selection of fewer frames, without looking at their content."""

import re
from collections.abc import Iterable

import numpy as np
import pandas as pd
from jaxtyping import Bool


def kept_evenly(candidates: int, target: int) -> Bool[np.ndarray, "candidates"]:
    """Mask of exactly `target` out of `candidates` consecutive frames, evenly spaced in time.

    Frame i is kept if (i + 1) * target // candidates > i * target // candidates: integers, so that
    every machine keeps the same frames. All are kept if there are no more than `target`.
    """
    steps = np.arange(candidates + 1, dtype=np.int64) * min(target, candidates)
    return np.asarray(np.diff(steps // max(candidates, 1)) > 0)


def thin(table: pd.DataFrame, among: pd.Series, target: int, reason: str) -> pd.DataFrame:
    """Thin a table evenly to `target` frames: set `left_out` to `reason` for the others.

    among: mask of the rows to thin; only usable ones of them are counted and dropped.
    """
    candidates = table.index[among & (table["defect"] == "") & (table["left_out"] == "")]
    dropped = candidates[~kept_evenly(len(candidates), target)]
    thinned = table.copy()
    thinned.loc[dropped, "left_out"] = reason
    return thinned


def every_nth(names: Iterable[str], step: int, first: int) -> set[str]:
    """Select the names that end with the number `first`, `first + step` and so on."""
    numbered = ((name, re.search(r"\d+$", name)) for name in names)
    return {name for name, digits in numbered if digits and int(digits[0]) % step == first % step}
