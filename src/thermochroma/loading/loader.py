"""Batches for training and for deployment. Order and augmentation depend on the seed and on the
number of pictures shown, on nothing else: a loader can begin anywhere and go on the same."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import albumentations as A
import numpy as np
import pandas as pd
import torch
from torch.utils.data import DataLoader, Dataset

from thermochroma.batch import Batch
from thermochroma.files import seed_of
from thermochroma.images import ThermalPicture, VisiblePicture
from thermochroma.loading.assemble import assemble_batch, assemble_seen, move
from thermochroma.loading.crops import Crops
from thermochroma.loading.text import TextTable

AUGMENTED = {"thermal": "image"}  # moved alike; no photometric transform may enter this list


@dataclass(frozen=True, eq=False)
class TrainingPictures(Dataset[dict[str, Any]]):
    """The n-th picture to show, for any n. Unaligned methods get a visible frame drawn by itself."""

    crops: Crops
    rows: pd.DataFrame
    text: TextTable | None
    aligned: bool
    flip: float
    window: int
    seed: int

    def __getitem__(self, shown: int) -> dict[str, Any]:
        row = self._pick(shown, "seen")
        other = row if self.aligned else self._pick(shown, "target")
        thermal, visible = self._augment(self.crops.thermal(row), self.crops.visible(other), shown)
        raw = {"thermal": thermal, "visible": visible, "frame": str(row["frame"])}
        if self.text is not None:
            raw["sentence"] = self.text.row(str(row["frame"]))
        return raw

    def _pick(self, shown: int, purpose: str) -> pd.Series:
        epoch, place = divmod(shown, len(self.rows))
        return self.rows.iloc[_order(len(self.rows), seed_of(self.seed, purpose, epoch))[place]]

    def _augment(
        self, thermal: ThermalPicture, visible: VisiblePicture, shown: int
    ) -> tuple[ThermalPicture, VisiblePicture]:
        seeds = [seed_of(self.seed, "flip", shown, spectrum) for spectrum in ("thermal", "visible")]
        if self.aligned:
            both = _geometry(self.window, self.flip, seeds[0])(image=visible, thermal=thermal)
            return both["thermal"], both["image"]
        return (
            _geometry(self.window, self.flip, seeds[0])(image=thermal)["image"],
            _geometry(self.window, self.flip, seeds[1])(image=visible)["image"],
        )


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
    loader = DataLoader(
        pictures,
        sampler=range(start_images, images),
        batch_size=batch_size,
        num_workers=workers,
        pin_memory=device.type == "cuda",
        generator=torch.Generator(),  # its own: resuming must not draw from the training's
    )
    for raw in loader:
        yield assemble_batch(move(raw, device), sees, pictures.text)


def seen_batches(
    crops: Crops,
    rows: pd.DataFrame,
    *,
    sees: type,
    text: TextTable | None,
    batch_size: int,
    device: torch.device,
) -> Iterator[tuple[pd.DataFrame, Any]]:
    """Rows and what a translator sees of them, in order; no visible picture is opened."""
    for start in range(0, len(rows), batch_size):
        some = rows.iloc[start : start + batch_size]
        thermal = np.stack([crops.thermal(row) for _, row in some.iterrows()])
        raw: dict[str, Any] = {"thermal": torch.from_numpy(thermal), "frame": list(some["frame"])}
        if text is not None:
            raw["sentence"] = torch.tensor([text.row(frame) for frame in some["frame"]])
        yield some, assemble_seen(move(raw, device), sees, text)


@lru_cache(maxsize=4)
def _order(count: int, seed: int) -> np.ndarray:
    return np.random.default_rng(seed).permutation(count)


def _geometry(window: int, flip: float, seed: int) -> A.Compose:
    return A.Compose(
        [A.RandomCrop(window, window), A.HorizontalFlip(p=flip)],
        additional_targets=AUGMENTED,
        seed=seed % 2**32,
    )
