"""Order and cuts of the training images: functions of the seed and of the number of images shown.

Unpaired methods get an independently drawn visible image, so that the pairing is never used.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import albumentations as A
import numpy as np
import pandas as pd
from jaxtyping import Int

from thermochroma.base.errors import BadInput
from thermochroma.base.files import seed_of

MOVED_ALIKE = {"other": "image", "edges": "image"}
"""Arguments that a geometry moves like `image`; it must contain no photometric transform."""


@dataclass(frozen=True, eq=False)
class Drawing:
    """Positions of the images (or triplets) to draw from, for each spectrum.

    aligned: whether the visible image is the thermal one's partner; then both lists are equal.
    """

    thermal: Int[np.ndarray, " n"]
    visible: Int[np.ndarray, " m"]
    aligned: bool
    seed: int

    def pick(self, shown: int) -> tuple[int, int]:
        """Position of the thermal and of the visible image that follow after `shown` others."""
        thermal = _pick(self.thermal, shown, seed=self.seed, purpose="seen")
        if self.aligned:
            return thermal, thermal
        return thermal, _pick(self.visible, shown, seed=self.seed, purpose="target")

    def geometry(self, shown: int, spectrum: str, *, window: int, flip: float) -> A.Compose:
        """Random crop and mirroring for the image of one spectrum; partners are treated alike.

        The arguments of the result are arrays of equal height and width: `image`, and any of
        `MOVED_ALIKE`. window: side of the crop in pixels. flip: probability of mirroring.
        """
        geometry = _geometry(window, flip)
        drawn_as = "thermal" if self.aligned else spectrum
        geometry.set_random_seed(seed_of(self.seed, "flip", shown, drawn_as) % 2**32)
        return geometry


def draw_from(sequences: "pd.Series[str]", *, aligned: bool, disjoint: bool, seed: int) -> Drawing:
    """Make a drawing from images (or triplets) that belong to these sequences.

    disjoint: half of the sequences, chosen by the seed, give thermal images alone, the others visible
    ones alone, so that no scene is ever seen in both spectra. Raises BadInput if there is one sequence.
    """
    everything = np.arange(len(sequences))
    if not disjoint:
        return Drawing(everything, everything, aligned, seed)
    names = np.unique(sequences.to_numpy(str))
    if len(names) < 2:
        raise BadInput(
            given=f"the training split has {len(names)} sequence",
            needed="at least two, so that thermal and visible images come from different ones",
            remedy="set `sampling: pooled` in the method's block of params.yaml",
        )
    shuffled = np.random.default_rng(seed_of(seed, "disjoint")).permutation(names)
    thermal = sequences.isin(shuffled[: len(names) // 2]).to_numpy(bool)
    return Drawing(everything[thermal], everything[~thermal], aligned, seed)


def _pick(numbers: Int[np.ndarray, " n"], shown: int, *, seed: int, purpose: str) -> int:
    """Draw without replacement: every position once in random order, then all again in another order."""
    epoch, place = divmod(shown, len(numbers))
    return int(numbers[_order(len(numbers), seed_of(seed, purpose, epoch))[place]])


@lru_cache(maxsize=4)
def _order(count: int, seed: int) -> Int[np.ndarray, " n"]:
    return np.random.default_rng(seed).permutation(count)


@lru_cache(maxsize=4)
def _geometry(window: int, flip: float) -> Any:
    """Build the geometry once, since that takes longer than an image; the caller sets the seed first."""
    steps = [A.RandomCrop(window, window), A.HorizontalFlip(p=flip)]
    return A.Compose(steps, additional_targets=MOVED_ALIKE)
