"""Tone mapping: the counts that become black and white, per data set or sequence, never per image.

A window of its own for each image, as cameras choose it, would hide which of two images is the warmer
one.
"""

import os
from collections.abc import Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from pathlib import Path
from typing import Final, TypeAlias

import numpy as np
from jaxtyping import Int64
from tqdm import tqdm

from thermochroma.base.errors import BadInput
from thermochroma.base.images import Counts, Tone, holds_counts, read_counts, untoned
from thermochroma.contract.dataset import Frame, PercentileTone, WindowTone

LEVELS: Final = 1 << 16
LEAST_SPAN: Final = 256  # counts: a level is at least one count, so that noise is not amplified
CHUNK: Final = 256  # images read at once
PROBED: Final = 3  # images of each sequence that are checked if no tone is set

Histogram: TypeAlias = Int64[np.ndarray, " levels"]
"""Number of pixels of each 16-bit count."""


def tones(
    frames: Sequence[Frame], raw: Path, setting: WindowTone | PercentileTone | None
) -> list[str]:
    """Find the tone of each frame as text, in order; "" for images of 8 bits and unreadable ones.

    A percentile's window is exact: it comes from all counts of the sequence, in a histogram of fixed
    size. Raises BadInput if there are images of more than 8 bits and no setting, or if percentiles are
    set for anything but 16-bit counts.
    """
    paths = [raw / frame.thermal for frame in frames]
    sequences: dict[str, list[Path]] = {}
    for frame, path in zip(frames, paths, strict=True):
        sequences.setdefault(frame.sequence, []).append(path)
    if setting is None:
        _refuse_untoned(sequences)
        return [""] * len(frames)
    with (
        ThreadPoolExecutor(os.cpu_count()) as pool,  # decoding releases the interpreter's lock
        tqdm(total=len(frames), desc="tone", unit="image") as bar,
    ):
        if isinstance(setting, WindowTone):
            text = str(Tone(setting.kind, setting.black, setting.white))
            found = _fixed(paths, text, pool, bar)
        else:
            found = {}
            for members in sequences.values():
                found |= _own(members, setting, pool, bar)
    return [found.get(path, "") for path in paths]


def window_of(histogram: Histogram, *, low: float, high: float) -> tuple[int, int]:
    """Counts for black and white: two percentiles, rounded down to a count that occurs.

    They are at least LEAST_SPAN apart, if necessary moved away from their middle.
    """
    below = np.cumsum(histogram)
    ranks = [int(share / 100 * (below[-1] - 1)) for share in (low, high)]
    black, white = (int(np.searchsorted(below, rank, side="right")) for rank in ranks)
    if white - black < LEAST_SPAN:
        black = (black + white - LEAST_SPAN) // 2
        white = black + LEAST_SPAN
    return black, white


def _fixed(paths: Sequence[Path], text: str, pool: Executor, bar: tqdm) -> dict[Path, str]:
    found: dict[Path, str] = {}
    for start in range(0, len(paths), CHUNK):
        chunk = paths[start : start + CHUNK]
        deep = zip(chunk, pool.map(_is_deep, chunk), strict=True)
        found |= {path: text for path, flag in deep if flag}
        bar.update(len(chunk))
    return found


def _own(
    paths: Sequence[Path], setting: PercentileTone, pool: Executor, bar: tqdm
) -> dict[Path, str]:
    """Find one tone for all images of a sequence that hold counts."""
    histogram = np.zeros(LEVELS, np.int64)
    deep: set[Path] = set()
    workers = os.cpu_count() or 1
    for start in range(0, len(paths), CHUNK):
        chunk = paths[start : start + CHUNK]
        # One histogram per worker, not per image, so that memory does not grow with the sequence.
        for counted, seen in pool.map(_count, [chunk[n::workers] for n in range(workers)]):
            histogram += counted
            deep |= seen
        bar.update(len(chunk))
    if not deep:
        return {}
    tone = Tone("window", *window_of(histogram, low=setting.low, high=setting.high))
    return dict.fromkeys(deep, str(tone))


def _count(paths: Sequence[Path]) -> tuple[Histogram, set[Path]]:
    """Histogram of the images that hold counts, and their paths."""
    histogram, deep = np.zeros(LEVELS, np.int64), set()
    for path in paths:
        try:
            counts = read_counts(path)
        except BadInput:
            continue  # `inspect` reads it too, and reports the defect
        if counts is not None:
            _refuse_unfit(path, counts)
            histogram += np.bincount(counts.ravel(), minlength=LEVELS)
            deep.add(path)
    return histogram, deep


def _is_deep(path: Path) -> bool:
    try:
        return holds_counts(path)
    except BadInput:
        return False  # `inspect` reads it too, and reports the defect


def _refuse_untoned(sequences: dict[str, list[Path]]) -> None:
    for members in sequences.values():
        for path in members[:PROBED]:
            if _is_deep(path):
                raise untoned(path)


def _refuse_unfit(path: Path, counts: Counts) -> None:
    if counts.dtype.kind == "f" or counts.min() < 0 or counts.max() >= LEVELS:
        raise BadInput(
            given=f"{path} holds values from {counts.min():g} to {counts.max():g} "
            f"({counts.dtype.name})",
            needed=f"percentiles are taken of whole counts from 0 to {LEVELS - 1}",
            remedy="set a tone of the kind `window`, with black and white in the images' unit",
        )
