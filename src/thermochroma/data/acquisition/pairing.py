"""Pairing of thermal and visible images where only their names and order are known.

Names are used first; order is used only where no name agrees and the numbers are equal. In both cases
the images decide: pairs must agree better than pairs that are shifted against each other.
"""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np

from thermochroma.base.errors import BadInput
from thermochroma.base.images import read_thermal, read_visible
from thermochroma.base.natural_order import natural
from thermochroma.data.acquisition.irvi_strips import frames_in
from thermochroma.data.registration.geometry import IDENTITY
from thermochroma.data.registration.pair_estimate import score_pair

Pair = tuple[Path | None, Path | None]
"""Thermal and visible file of a pair; None where one is missing."""

OFFSET: Final = 25
"""Shift between compared pairs, in images: in a drive, more than a second and another view."""
LOOKED_AT: Final = 16
"""Number of pairs that are compared, evenly spaced."""
FEWEST: Final = 4
STILL: Final = 0.8
"""Correlation of thermal images OFFSET apart above which a scene is static. There, only moving objects
distinguish one pair from another, so a tie is no evidence against the pairing."""
ERRORS: Final = 2.0
"""Number of standard errors of the mean gain that count as chance."""
SPECTRUM: Final = re.compile(
    r"^(ir|tir|lwir|infrared|thermal|a|vis?|visible|rgb|colou?r|b)[-_ ]?(?=\d)", re.IGNORECASE
)


def paired(thermal: Sequence[Path], visible: Sequence[Path], *, where: str) -> list[Pair]:
    """Pair images by name, in natural order, with None where one is missing; else by order.

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
            remedy="name the two images of a pair alike, or remove images without a partner",
        )
    return [
        (warm[one], seen[other])
        for one, other in zip(sorted(warm, key=natural), sorted(seen, key=natural), strict=True)
    ]


def refuse_strangers(pairs: Sequence[Pair], *, where: str) -> None:
    """Raise BadInput if pairs agree no better, beyond chance, than pairs shifted by `OFFSET`.

    Compares the mean correlation of outlines (CFOG). Accepts pairs without a check if there are too
    few of them or too little texture.
    """
    whole = [(one, other) for one, other in pairs if one is not None and other is not None]
    offset = min(OFFSET, len(whole) // 2)
    if offset < FEWEST:
        return
    spread = np.linspace(0, len(whole) - offset - 1, LOOKED_AT).astype(int)
    scores = [_scores(whole, place, place + offset) for place in sorted(set(spread.tolist()))]
    clear = [each for each in scores if each is not None]
    if len(clear) < FEWEST:
        return
    matched, set_off, still = np.mean(clear, axis=0)
    gains = np.array([one - other for one, other, _ in clear])
    chance = ERRORS * float(gains.std(ddof=1)) / len(gains) ** 0.5
    if gains.mean() <= (-chance if still > STILL else chance):
        raise BadInput(
            given=f"the images of {where} agree no better ({matched:.3f}) with their partners than "
            f"with those {offset} places later ({set_off:.3f})",
            needed="thermal and visible images of one instant at the same place in the order",
            remedy="check that neither folder lacks or has added images, and name partners alike",
        )


def _scores(
    pairs: Sequence[tuple[Path, Path]], here: int, there: int
) -> tuple[float, float, float] | None:
    """Correlation of a pair, of the shifted pair, and of both thermal images; None if unclear."""
    try:
        thermal, other = (frames_in(read_thermal(pairs[place][0]))[0] for place in (here, there))
        visible, off = (frames_in(read_visible(pairs[place][1]))[0] for place in (here, there))
    except BadInput:  # the inspection reports broken files
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
