"""Which thermal image belongs to which visible one, where nothing but names and order tells.

Names go first; order is used only where no name agrees and the numbers are equal. Either way the
images have the last word: pairs must agree better than pairs that are set off against each other.
"""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np

from thermochroma.base.errors import BadInput
from thermochroma.base.images import read_thermal, read_visible
from thermochroma.data.acquisition.irvi_strips import frames_in
from thermochroma.data.registration.geometry import IDENTITY
from thermochroma.data.registration.pair_estimate import score_pair

Pair = tuple[Path | None, Path | None]
"""Thermal and visible file of one name; None where one is missing."""

OFFSET: Final = 25
"""Images by which pairs are set off: in a drive, more than a second and another view."""
LOOKED_AT: Final = 16
"""Pairs that are compared, evenly spread."""
FEWEST: Final = 4
STILL: Final = 0.8
"""Correlation of thermal images OFFSET apart above which a scene stands still. There, only what
passes by can tell one pair from another, so a tie is no evidence against the pairing."""
ERRORS: Final = 2.0
"""Standard errors of the mean gain that count as chance."""
SPECTRUM: Final = re.compile(
    r"^(ir|tir|lwir|infrared|thermal|a|vis?|visible|rgb|colou?r|b)[-_ ]?(?=\d)", re.IGNORECASE
)


def natural(name: str) -> tuple[tuple[str, int], ...]:
    """A key that sorts 2 before 10."""
    return tuple((text, int(digits or -1)) for text, digits in re.findall(r"(\D*)(\d*)", name))


def paired(thermal: Sequence[Path], visible: Sequence[Path], *, where: str) -> list[Pair]:
    """Pairs by name, in natural order, with a gap where a twin is missing; else by order.

    Raises BadInput if no name agrees and the numbers differ.
    """
    warm, seen = _by_name(thermal, where), _by_name(visible, where)
    if warm.keys() & seen.keys():
        order = sorted(warm.keys() | seen.keys(), key=natural)
        return [(warm.get(name), seen.get(name)) for name in order]
    if len(thermal) != len(visible):
        raise BadInput(
            given=f"{where} has {len(thermal)} thermal and {len(visible)} visible images, and no "
            "two of one name",
            needed="images of one name, or as many of one spectrum as of the other",
            remedy="name the two images of a pair alike, or remove what has no twin",
        )
    return [
        (warm[one], seen[other])
        for one, other in zip(sorted(warm, key=natural), sorted(seen, key=natural), strict=True)
    ]


def refuse_strangers(pairs: Sequence[Pair], *, where: str) -> None:
    """Raise BadInput if pairs agree no better, but for chance, than pairs set off by `OFFSET`.

    Compares the mean correlation of outlines (CFOG). Says nothing if there are too few pairs or too
    little texture to tell.
    """
    whole = [(one, other) for one, other in pairs if one is not None and other is not None]
    offset = min(OFFSET, len(whole) // 2)
    if offset < FEWEST:
        return
    spread = np.linspace(0, len(whole) - offset - 1, LOOKED_AT).astype(int)
    scores = [_scores(whole, place, place + offset) for place in sorted(set(spread.tolist()))]
    told = [each for each in scores if each is not None]
    if len(told) < FEWEST:
        return
    matched, set_off, still = np.mean(told, axis=0)
    gains = np.array([one - other for one, other, _ in told])
    chance = ERRORS * float(gains.std(ddof=1)) / len(gains) ** 0.5
    if gains.mean() <= (-chance if still > STILL else chance):
        raise BadInput(
            given=f"the images of {where} agree no better ({matched:.3f}) with their twins than "
            f"with those {offset} places on ({set_off:.3f})",
            needed="thermal and visible images of one instant at the same place in the order",
            remedy="check that neither folder lacks or has added images, and name twins alike",
        )


def _scores(
    pairs: Sequence[tuple[Path, Path]], here: int, there: int
) -> tuple[float, float, float] | None:
    """Correlation of a pair, of the pair set off, and of both thermal images; None if unclear."""
    try:
        thermal, other = (frames_in(read_thermal(pairs[place][0]))[0] for place in (here, there))
        visible, off = (frames_in(read_visible(pairs[place][1]))[0] for place in (here, there))
    except BadInput:  # a broken file is the inspection's business
        return None
    as_visible = np.repeat(other[..., None], 3, axis=-1)
    found = [score_pair(thermal, each, IDENTITY) for each in (visible, off, as_visible)]
    first, second, third = (None if each is None else each[0] for each in found)
    if first is None or second is None or third is None:
        return None
    return first, second, third


def _by_name(paths: Sequence[Path], where: str) -> dict[str, Path]:
    """Files by their name without suffix and spectrum."""
    named: dict[str, Path] = {}
    for path in paths:
        name = SPECTRUM.sub("", path.stem)
        if named.setdefault(name, path) != path:
            raise BadInput(
                given=f"{where} has two images called {name}: {named[name]} and {path}",
                needed="one image of each spectrum under a name",
                remedy="remove one of them",
            )
    return named
