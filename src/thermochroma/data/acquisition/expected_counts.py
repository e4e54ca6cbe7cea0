"""Comparison of the numbers of frames with the published ones, and with what a benchmark needs."""

from collections.abc import Iterator, Mapping

import pandas as pd

from thermochroma.base.errors import BadInput
from thermochroma.base.manifest import usable
from thermochroma.base.splits import SPLITS


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


def refuse_empty_splits(table: pd.DataFrame, *, name: str) -> None:
    """Raise BadInput for the first split without a usable frame: all three are needed further on.

    table: inspected frames, of FRAME_COLUMNS. name: the data set's key under `sources:`.
    """
    for split in SPLITS:
        listed = table[table["split"] == split]
        if usable(listed).empty:
            raise BadInput(
                given=f"`{name}` has no frame for the split `{split}`{_reason(listed)}",
                needed="frames for training, validation and testing",
                remedy=f"complete the copy of the data, or choose other frames in `sources.{name}`",
            )


def _reason(listed: pd.DataFrame) -> str:
    if listed.empty:
        return ""
    first = listed.iloc[0]
    why = first["defect"] or first["left_out"]
    return f" (none of {len(listed)} can be used; {first['frame']}: {why})"
