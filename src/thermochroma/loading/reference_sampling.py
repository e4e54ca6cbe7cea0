"""References in training: for the n-th image shown, a function of the seed and n alone.

Some images are shown without one. Of the rest some get *their own target*, recoloured and then
warped: there the target is the recoloured image too, since a reference with other colours than the
target would teach that its colours mean nothing. The others get another frame of their sequence.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import pandas as pd
from jaxtyping import Int

from thermochroma.base.files import seed_of
from thermochroma.base.images import VisibleImage
from thermochroma.loading.crops import Crops
from thermochroma.loading.reference_augmentation import own_reference, recoloured
from thermochroma.loading.reference_retrieval import describe, most_alike


class Drawn(NamedTuple):
    """Target and reference of one training image. target: the original, or its recoloured version."""

    target: VisibleImage
    reference: VisibleImage | None


class TrainingReferences:
    """Random references of the images shown. Raises BadInput if the split has only one frame."""

    def __init__(
        self,
        *,
        crops: Crops,
        rows: pd.DataFrame,
        none_share: float,
        own_share: float,
        frames_away: tuple[int, int],
        seed: int,
    ) -> None:
        """Prepare the draws. rows: the training frames; see `ReferenceSettings` for the shares."""
        self.none_share, self.own_share, self.seed = none_share, own_share, seed
        self.near, self.far = frames_away
        # Arrays, not the table, as in the loader.
        self.sequence, names = pd.factorize(rows["sequence"])
        self.members = [np.flatnonzero(self.sequence == number) for number in range(len(names))]
        self.rank = rows.groupby("sequence").cumcount().to_numpy(np.int64)
        alone = np.array([len(self._others(n)) == 0 for n in range(len(rows))], bool)
        self.nearest = _nearest(crops, rows, alone)

    def draw(
        self,
        shown: int,
        place: int,
        target: VisibleImage,
        visible: Callable[[int], VisibleImage],
    ) -> Drawn:
        """Draw target and reference of the `shown`-th image.

        place: the position of its frame. visible: a function from another frame's position to its
        visible image, cut as the target is.
        """
        random = np.random.default_rng(seed_of(self.seed, "reference", shown))
        if random.random() < self.none_share:
            return Drawn(target, None)
        if random.random() < self.own_share:
            own = recoloured(target, seed=seed_of(self.seed, "recoloured", shown))
            return Drawn(own, own_reference(own, seed=seed_of(self.seed, "warped", shown)))
        others = self._others(place)
        other = random.choice(others) if len(others) else self.nearest[place]
        return Drawn(target, visible(int(other)))

    def _others(self, place: int) -> Int[np.ndarray, " n"]:
        """Positions of the frames of the same sequence at an allowed distance."""
        members, rank = self.members[self.sequence[place]], self.rank[place]
        before = members[max(0, rank - self.far) : max(0, rank - self.near + 1)]
        return np.concatenate([before, members[rank + self.near : rank + self.far + 1]])


def _nearest(crops: Crops, rows: pd.DataFrame, alone: np.ndarray) -> Int[np.ndarray, " n"]:
    """Position of the most similar training frame, for the frames that are `alone`; -1 for the others."""
    number = np.full(len(rows), -1)
    if alone.any():
        known, own = describe(crops.places(rows)), np.flatnonzero(alone)
        number[alone], _, _ = most_alike(rows, known, rows.iloc[own], known[own], own=own)
    return number
