"""Comparison of the numbers of frames with the published ones."""

from collections.abc import Iterator, Mapping

import pandas as pd


def odd_counts(sequences: pd.Series, known: Mapping[str, tuple[int, int]]) -> Iterator[str]:
    """Yield a sentence for every known name whose number of frames is not within its bounds.

    sequences: the sequence of each frame. known: fewest and most frames, by the name of a sequence or
    by a prefix of several, up to a slash ("set00" means all of "set00/...").
    """
    counts = sequences.value_counts()
    for name, (fewest, most) in known.items():
        below = counts.index.str.startswith(f"{name}/") | (counts.index == name)
        count = int(counts[below].sum())
        if not fewest <= count <= most:
            bounds = str(fewest) if fewest == most else f"{fewest} to {most}"
            yield f"{name} has {count} frames, the published data {bounds}"
