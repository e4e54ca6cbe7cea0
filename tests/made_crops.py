"""Crops made on the spot: shards and their manifest, without the stages that cut them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from thermochroma.base.manifest import CROP_COLUMNS, write_table
from thermochroma.base.shards import write_shard
from thermochroma.loading.crops import MANIFEST, Crops

Predict = Callable[[str, int], tuple[np.ndarray, np.ndarray]]
"""(sequence, number) to the thermal (h w) and the visible (h w 3) image."""


@dataclass(frozen=True)
class Sequence:
    """Its frames, numbered from 0; each has a left edge of its window, or one for all."""

    frames: int
    split: str = "train"
    dropped: tuple[int, ...] = ()
    left: tuple[int, ...] = ()


def make_crops(folder: Path, sequences: Mapping[str, Sequence], predict: Predict) -> Crops:
    """One shard a sequence."""
    rows = []
    for name, sequence in sequences.items():
        kept = [n for n in range(sequence.frames) if n not in sequence.dropped]
        pairs = [predict(name, n) for n in kept]
        for place, spectrum in enumerate(("thermal", "visible")):
            write_shard(folder / spectrum / f"{name}.npy", [pair[place] for pair in pairs])
        rows += [_row(name, sequence, n, kept) for n in range(sequence.frames)]
    write_table(folder / MANIFEST, pd.DataFrame(rows, columns=list(CROP_COLUMNS)), CROP_COLUMNS)
    return Crops(folder)


def _row(name: str, sequence: Sequence, n: int, kept: list[int]) -> tuple[object, ...]:
    facts = (f"{name}/{n}", name, sequence.split, "", "", 0, "1 0 0 0 1 0")
    if n not in kept:
        return (*facts, 1.0, 0, 0, "", 0, "constant")
    left = sequence.left[n] if sequence.left else 0
    return (*facts, 1.0, left, 0, f"{name}.npy", kept.index(n), "")
