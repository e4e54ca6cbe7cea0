"""Batches for training. Order and augmentation depend only on the seed and on the number of images
shown, so a loader can start at any image and continue with the same batches."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch.utils.data import DataLoader, Dataset

from thermochroma.base import whole_batch
from thermochroma.base.files import seed_of
from thermochroma.base.images import VisibleImage
from thermochroma.base.whole_batch import Share
from thermochroma.contract.batch import TrainingBatch
from thermochroma.contract.settings import CameraSettings
from thermochroma.loading.camera_jitter import by_another_camera
from thermochroma.loading.collate import Raw, assemble_shown, laid_out, move
from thermochroma.loading.crops import Crops
from thermochroma.loading.edge_maps import EdgeMaps
from thermochroma.loading.inference_batches import as_raw
from thermochroma.loading.reference_sampling import TrainingReferences
from thermochroma.loading.sampling import draw_from
from thermochroma.loading.text_features import TextTable
from thermochroma.loading.triplets import TrainingTriplets


class TrainingImages(Dataset[dict[str, Any]]):
    """The n-th training image, for any n. Unaligned methods get an independently drawn visible frame.

    references: for methods that see them; they may recolour the target. edges: for games that train on
    them. camera: how much the thermal image is changed, which must be no target then. Raises BadInput for
    a frame without a sentence, if text is given.
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
        disjoint: bool = False,
        references: TrainingReferences | None = None,
        edges: EdgeMaps | None = None,
        camera: CameraSettings | None = None,
    ) -> None:
        self.text, self.references, self.edges = text, references, edges
        self.flip, self.window = flip, window
        self.camera, self.seed = camera, seed
        # Arrays, not the table: finding a row of a table takes longer than finding its pixels.
        self.places, self.frames = crops.places(rows), np.array(rows["frame"], str)
        self.sentences = None if text is None else [text.row(frame) for frame in rows["frame"]]
        self.drawing = draw_from(rows["sequence"], aligned=aligned, disjoint=disjoint, seed=seed)

    def __getitem__(self, shown: int) -> dict[str, Any]:
        place, other = self.drawing.pick(shown)
        raw = {
            **self._cut("thermal", place, shown),
            **self._cut("visible", other, shown),
            "frame": str(self.frames[place]),
        }
        if self.camera is not None:
            drawn = seed_of(self.seed, "camera", shown)
            raw["thermal"] = by_another_camera(raw["thermal"], self.camera, seed=drawn)
        if self.sentences is not None:
            raw["sentence"] = self.sentences[place]
        return raw if self.references is None else raw | self._refer(shown, place, raw["visible"])

    def __getstate__(self) -> dict[str, Any]:
        """State for a loading process: without the text's features, which may be large."""
        return self.__dict__ | {"text": None}

    def _refer(self, shown: int, place: int, target: VisibleImage) -> dict[str, Any]:
        """The target, perhaps recoloured, and its reference; other frames are cut at the same place."""
        assert self.references is not None
        drawn = self.references.draw(
            shown, place, target, lambda n: self._cut("visible", n, shown)["visible"]
        )
        return {"visible": drawn.target, **as_raw(drawn.reference, like=target)}

    def _cut(self, spectrum: str, place: int, shown: int) -> dict[str, Any]:
        """The image of one spectrum and, if they are needed, its edges."""
        geometry = self.drawing.geometry(shown, spectrum, window=self.window, flip=self.flip)
        if self.edges is None:
            return {spectrum: geometry(image=self.places.image(spectrum, place))["image"]}
        both = geometry(
            image=self.places.image(spectrum, place), edges=self.edges.of(spectrum, place)
        )
        return {spectrum: both["image"], f"{spectrum}_edges": both["edges"]}


TrainingDataset = TrainingImages | TrainingTriplets
"""Training data of a game: the n-th raw image (or triplet), for any n."""


def training_batches(
    dataset: TrainingDataset,
    *,
    start_images: int,
    images: int,
    batch_size: int,
    workers: int,
    trains_on: type,
    sees: type,
    device: torch.device,
    layout: torch.memory_format = torch.channels_last,
) -> Iterator[tuple[TrainingBatch, Share]]:
    """Yield this process's share of each batch, and which share it is.

    The first batch starts with the image `start_images`; the last one may be smaller. layout: of the images
    in memory.
    """
    starts = range(start_images, images, batch_size)

    def share_at(start: int) -> Share:
        return whole_batch.share_of(min(batch_size, images - start))

    shown = (share_at(start).numbers(start) for start in starts)
    loaded = raw_batches(dataset, shown, workers=workers, device=device)
    for start, raw in zip(starts, loaded, strict=True):
        batch = assemble_shown(move(raw, device), trains_on, sees, dataset.text)
        yield laid_out(batch, layout), share_at(start)


def raw_batches(
    dataset: TrainingDataset,
    shown: Iterable[range],
    *,
    workers: int,
    device: torch.device,
) -> Iterator[Raw]:
    """Yield batches of bytes, not yet on the device, of the images of each batch `shown`.

    workers: number of loading processes; 0 loads in this one.
    """
    return iter(
        DataLoader(
            dataset,
            batch_sampler=map(list, shown),
            collate_fn=_stacked,
            num_workers=workers,
            # Forked copies of a process with threads may hang; spawned ones start afresh.
            multiprocessing_context="spawn" if workers else None,
            pin_memory=device.type == "cuda",
            generator=torch.Generator(),  # not the training's, which resuming must not change
        )
    )


STACKED = (
    *("thermal", "visible", "thermal_edges", "visible_edges"),
    *("reference", "has_reference"),
)


def _stacked(images: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Copy images once, out of the mapped files into a batch."""
    raw: dict[str, Any] = {
        name: torch.from_numpy(np.stack([image[name] for image in images]))
        for name in STACKED
        if name in images[0]
    }
    raw["frame"] = [image["frame"] for image in images]
    if "sentence" in images[0]:
        raw["sentence"] = torch.tensor([image["sentence"] for image in images])
    return raw
