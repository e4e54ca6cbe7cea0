"""Batches for training and for deployment. Order and augmentation depend on the seed and on the
number of pictures shown, on nothing else: a loader can begin anywhere and go on the same."""

from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Any

import albumentations as A
import numpy as np
import pandas as pd
import torch
from jaxtyping import UInt8
from torch.utils.data import DataLoader, Dataset

from thermochroma.batch import Batch
from thermochroma.files import seed_of
from thermochroma.images import ThermalPicture, VisiblePicture
from thermochroma.loading.assemble import Raw, assemble_batch, assemble_seen, move
from thermochroma.loading.crops import Crops
from thermochroma.loading.references import References
from thermochroma.loading.text import TextTable
from thermochroma.loading.training_references import TrainingReferences

AUGMENTED = {"thermal": "image"}  # moved alike; no photometric transform may enter this list


class TrainingPictures(Dataset[dict[str, Any]]):
    """The n-th picture to show, for any n. Unaligned methods get a visible frame drawn by itself.

    references: for methods that see them; they may recolour the target. Raises BadInput for a frame
    without a sentence, where text is given.
    """

    def __init__(
        self,
        *,
        crops: Crops,
        rows: pd.DataFrame,
        text: TextTable | None,
        aligned: bool,
        flip: float,
        window: int,
        seed: int,
        references: TrainingReferences | None = None,
    ) -> None:
        self.text, self.aligned, self.references = text, aligned, references
        self.flip, self.window, self.seed = flip, window, seed
        # Arrays, not the table: a row of a table takes longer to find than its pixels.
        self.places, self.frames = crops.places(rows), np.array(rows["frame"], str)
        self.sentences = None if text is None else [text.row(frame) for frame in rows["frame"]]

    def __getitem__(self, shown: int) -> dict[str, Any]:
        place = self._pick(shown, "seen")
        other = place if self.aligned else self._pick(shown, "target")
        thermal, visible = self._augment(
            self.places.thermal(place), self.places.visible(other), shown
        )
        raw = {"thermal": thermal, "visible": visible, "frame": str(self.frames[place])}
        if self.sentences is not None:
            raw["sentence"] = self.sentences[place]
        return raw if self.references is None else raw | self._refer(shown, place, visible)

    def __getstate__(self) -> dict[str, Any]:
        """What a loading process needs: all but the text's features, which may be large."""
        return self.__dict__ | {"text": None}

    def _refer(self, shown: int, place: int, target: VisiblePicture) -> dict[str, Any]:
        """The target as it is taught, and its reference; other frames are cut where it was."""
        assert self.references is not None
        drawn = self.references.draw(
            shown,
            place,
            target,
            lambda n: self._augment(self.places.thermal(n), self.places.visible(n), shown)[1],
        )
        return {"visible": drawn.target, **_as_raw(drawn.reference, like=target)}

    def _pick(self, shown: int, purpose: str) -> int:
        epoch, place = divmod(shown, len(self.places))
        return int(_order(len(self.places), seed_of(self.seed, purpose, epoch))[place])

    def _augment(
        self, thermal: ThermalPicture, visible: VisiblePicture, shown: int
    ) -> tuple[UInt8[np.ndarray, "side side"], UInt8[np.ndarray, "side side 3"]]:
        geometry = _geometry(self.window, self.flip)
        geometry.set_random_seed(seed_of(self.seed, "flip", shown, "thermal") % 2**32)
        if self.aligned:
            both = geometry(image=visible, thermal=thermal)
            return both["thermal"], both["image"]
        moved = geometry(image=thermal)["image"]
        geometry.set_random_seed(seed_of(self.seed, "flip", shown, "visible") % 2**32)
        return moved, geometry(image=visible)["image"]


def training_batches(
    pictures: TrainingPictures,
    *,
    start_images: int,
    images: int,
    batch_size: int,
    workers: int,
    sees: type,
    device: torch.device,
) -> Iterator[Batch[Any]]:
    """From the picture `start_images` to the last; the last batch may be smaller."""
    some = range(start_images, images)
    for raw in raw_batches(pictures, some, batch_size=batch_size, workers=workers, device=device):
        yield assemble_batch(move(raw, device), sees, pictures.text)


def raw_batches(
    pictures: TrainingPictures,
    shown: Sequence[int],
    *,
    batch_size: int,
    workers: int,
    device: torch.device,
) -> Iterator[Raw]:
    """Bytes, not yet on the device: the pictures to show, in order, read by so many processes."""
    return iter(
        DataLoader(
            pictures,
            sampler=shown,
            batch_size=batch_size,
            collate_fn=_stacked,
            num_workers=workers,
            # Forked copies of a process with threads may hang; these start afresh.
            multiprocessing_context="spawn" if workers else None,
            pin_memory=device.type == "cuda",
            generator=torch.Generator(),  # its own: resuming must not draw from the training's
        )
    )


def seen_batches(
    crops: Crops,
    rows: pd.DataFrame,
    *,
    sees: type,
    text: TextTable | None,
    batch_size: int,
    device: torch.device,
    references: References | None = None,
) -> Iterator[tuple[pd.DataFrame, Any]]:
    """Rows and what a translator sees of them, in order; none of their visible pictures is opened.

    references: for methods that see them.
    """
    places = crops.places(rows)
    for start in range(0, len(rows), batch_size):
        some = rows.iloc[start : start + batch_size]
        thermal = np.stack([places.thermal(start + n) for n in range(len(some))])
        raw: dict[str, Any] = {"thermal": torch.from_numpy(thermal), "frame": list(some["frame"])}
        if text is not None:
            raw["sentence"] = torch.tensor([text.row(frame) for frame in some["frame"]])
        if references is not None:
            raw |= _referred(references, raw["frame"], side=thermal.shape[1:])
        yield some, assemble_seen(move(raw, device), sees, text)


def _referred(
    references: References, frames: Sequence[str], *, side: tuple[int, ...]
) -> dict[str, torch.Tensor]:
    """The references of some frames, as a raw batch holds them."""
    blank = np.zeros((*side, 3), np.uint8)
    found = [_as_raw(references.picture(frame), like=blank) for frame in frames]
    return {name: torch.from_numpy(np.stack([one[name] for one in found])) for name in found[0]}


def _as_raw(reference: VisiblePicture | None, *, like: VisiblePicture) -> dict[str, Any]:
    """A picture, and whether it counts: 8 bits have no value for "none"."""
    there = reference is not None
    return {
        "reference": reference if there else np.zeros_like(like),
        "has_reference": np.array(there),
    }


def _stacked(pictures: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """One copy, out of the mapped files into a batch."""
    raw: dict[str, Any] = {
        name: torch.from_numpy(np.stack([picture[name] for picture in pictures]))
        for name in ("thermal", "visible", "reference", "has_reference")
        if name in pictures[0]
    }
    raw["frame"] = [picture["frame"] for picture in pictures]
    if "sentence" in pictures[0]:
        raw["sentence"] = torch.tensor([picture["sentence"] for picture in pictures])
    return raw


@lru_cache(maxsize=4)
def _order(count: int, seed: int) -> np.ndarray:
    return np.random.default_rng(seed).permutation(count)


@lru_cache(maxsize=4)
def _geometry(window: int, flip: float) -> A.Compose:
    """Built once, since that takes longer than a picture; whoever calls it sets the seed first."""
    return A.Compose(
        [A.RandomCrop(window, window), A.HorizontalFlip(p=flip)], additional_targets=AUGMENTED
    )
