"""All that one training is made of, read and checked before any work."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch

from thermochroma.base.device import choose_device
from thermochroma.base.errors import BadInput
from thermochroma.base.files import seed_of, sha256
from thermochroma.base.project import at_root
from thermochroma.config.budget import Budget
from thermochroma.config.entry import Entry
from thermochroma.contract.batch import Edged, Triplets
from thermochroma.contract.method import Method, Pairing, load_method
from thermochroma.contract.settings import CameraSettings, Settings
from thermochroma.loading.collate import needs_references, read_text
from thermochroma.loading.crops import FINGERPRINT, MANIFEST, Crops
from thermochroma.loading.edge_maps import DETECTOR, EdgeMaps, find_edges
from thermochroma.loading.loader import TrainingDataset, TrainingImages
from thermochroma.loading.reference_retrieval import References, retrieved
from thermochroma.loading.reference_sampling import TrainingReferences
from thermochroma.loading.text_features import TextTable
from thermochroma.loading.triplets import TrainingTriplets
from thermochroma.networks.frozen import FrozenNetworks
from thermochroma.training import checkpoint


@dataclass(frozen=True)
class TrainingFiles:
    """Inputs of one training on disk."""

    crops: Path
    text: Path
    weights: Path
    """Folder of the frozen networks."""
    edges: Path
    """Folder in which edge maps are kept, for methods that need them."""
    code: tuple[Path, ...]
    """Fingerprints of the code that decides the outcome."""


@dataclass(frozen=True)
class TrainingRun:
    """All that one training is made of."""

    dataset: str
    entry: Entry
    side: int
    """Of the crops, in pixels."""
    frozen: str
    """Provenance of the weights of the frozen networks."""
    method: Method
    crops: Crops
    text: TextTable | None
    edges: Path
    device: torch.device
    fingerprint: str

    @property
    def settings(self) -> Settings:
        """Settings of the method."""
        return self.entry.settings

    @property
    def budget(self) -> Budget:
        """Length and size of the training."""
        return self.entry.budget

    @property
    def layout(self) -> torch.memory_format:
        """Memory layout of the images and weights."""
        return self.method.layout_on(self.device)


def prepare(
    dataset: str,
    entry: Entry,
    files: TrainingFiles,
    *,
    side: int,
) -> TrainingRun:
    """Read what the training needs, and name it by a fingerprint of all that decides its outcome."""
    settings, budget = entry.settings, entry.budget
    method = load_method(settings.method)
    refuse_side(side, method, multiple=method.sides_multiple_of, dataset=dataset)
    window = budget.window or side
    refuse_side(window, method, multiple=method.window_multiple(settings), dataset=dataset)
    refuse_sampling(settings, method)
    crops = Crops(files.crops)
    refuse_frames(budget.frames, method, there=len(crops.split("train")), dataset=dataset)
    refuse_camera(budget.camera, method, dataset=dataset)
    device, frozen = choose_device(), FrozenNetworks(files.weights)
    table = read_text(method.sees, files.text)
    fingerprint = checkpoint.fingerprint_of(
        settings=settings.model_dump(),
        budget=budget.deciding(),
        seed=entry.seed,
        frozen=frozen.hashes(),
        data=[sha256(files.crops / file) for file in (MANIFEST, FINGERPRINT)],
        text=sha256(files.text) if table is not None else "",
        code=[sha256(path) for path in files.code],
        torch=torch.__version__,
        device=device.type,
    )
    return TrainingRun(
        dataset=dataset,
        entry=entry,
        side=side,
        frozen=frozen.provenance(),
        method=method,
        crops=crops,
        text=table,
        edges=at_root(files.edges),
        device=device,
        fingerprint=fingerprint,
    )


def refuse_side(side: int, method: Method, *, multiple: int, dataset: str) -> None:
    """Raise BadInput if the crops, or windows of them, do not fit the method's networks."""
    if side % multiple or side < method.least_side:
        least = f" of at least {method.least_side}" if method.least_side > multiple else ""
        raise BadInput(
            given=f"the crops or windows of `{dataset}` are {side} pixels wide",
            needed=f"{method.title} takes sides{least} that are multiples of {multiple}",
            remedy=f"change `crop.{dataset}.size` or `budget.{dataset}`, or leave the method out",
        )


def refuse_sampling(settings: Settings, method: Method) -> None:
    """Raise BadInput if images would be drawn apart for a method that is trained with pairs."""
    if settings.sampling == "disjoint" and method.pairing is Pairing.ALIGNED:
        raise BadInput(
            given=f"`sampling: disjoint` for {method.title}",
            needed="a method that is trained without pairs",
            remedy="set `sampling: pooled`, or leave it out",
        )


def refuse_frames(frames: int | None, method: Method, *, there: int, dataset: str) -> None:
    """Raise BadInput for more frames than there are, and for a method that uses frames in other ways.

    Triplets are made of frames that follow one another, and references are found in the whole split.
    """
    if frames is None:
        return
    remedy = f"change `frames` in `budget.{dataset}` or its `exceptions`, or leave it empty for all"
    if method.trains_on is Triplets or needs_references(method.sees):
        raise BadInput(
            given=f"`frames: {frames}` for {method.title}",
            needed="a method that trains on single pairs and sees no reference",
            remedy=remedy,
        )
    if frames > there:
        raise BadInput(
            given=f"`frames: {frames}` for `{dataset}`",
            needed=f"at most the {there} frames of its training split",
            remedy=remedy,
        )


def refuse_camera(camera: CameraSettings | None, method: Method, *, dataset: str) -> None:
    """Raise BadInput if the thermal images of a method that cannot have it would be changed.

    A target is never changed, and the frames of a triplet are not made by different cameras.
    """
    seen = method.direction.predicted != "thermal"
    if camera is not None and (not seen or method.trains_on is Triplets):
        raise BadInput(
            given=f"`camera` for {method.title}",
            needed="a method that sees single thermal images",
            remedy=f"leave `camera` in `budget.{dataset}` empty, and give it to others in `exceptions`",
        )


def text_width(run: TrainingRun) -> int:
    """Width of the text features; 0 without text."""
    return run.text.features.shape[-1] if run.text is not None else 0


def training_dataset(run: TrainingRun) -> TrainingDataset:
    """The images (or triplets) that the game is shown."""
    budget, method = run.budget, run.method
    how: dict[str, Any] = {
        "crops": run.crops,
        "disjoint": run.settings.sampling == "disjoint",
        "flip": budget.flip,
        "window": budget.window or run.side,
        "seed": run.entry.seed,
    }
    if method.trains_on is Triplets:
        return TrainingTriplets(**how)
    rows = training_rows(run.crops, budget.frames)
    return TrainingImages(
        **how,
        rows=rows,
        text=run.text,
        aligned=method.pairing is Pairing.ALIGNED,
        references=training_references(run),
        edges=training_edges(run, rows),
        camera=budget.camera,
    )


def training_rows(crops: Crops, frames: int | None) -> pd.DataFrame:
    """Rows of the frames to train on: all of the split, or that many of it, in the split's order.

    The smaller choice lies within the larger one, and no seed of a training changes it: what differs
    between two trainings is their number.
    """
    rows = crops.split("train")
    if frames is None:
        return rows
    drawn = np.random.default_rng(seed_of("frames")).permutation(len(rows))[:frames]
    return rows.iloc[np.sort(drawn)]


def training_edges(run: TrainingRun, rows: pd.DataFrame) -> EdgeMaps | None:
    """For a game that is shown edges, those of its training images, found now or before."""
    if run.method.trains_on is not Edged:
        return None
    settings = run.settings.edges
    assert settings is not None  # the settings of such a method require it
    fingerprint = checkpoint.fingerprint_of(
        crops=sha256(run.crops.folder / FINGERPRINT),
        settings=settings.model_dump(),
        detector=DETECTOR,
    )
    return find_edges(run.crops.places(rows), run.edges / fingerprint, settings)


def training_references(run: TrainingRun) -> TrainingReferences | None:
    """For a method that sees references, how they are drawn."""
    if not needs_references(run.method.sees):
        return None
    assert run.settings.references is not None  # the settings of such a method require it
    return TrainingReferences(
        crops=run.crops,
        rows=run.crops.split("train"),
        seed=run.entry.seed,
        **run.settings.references.model_dump(),
    )


def held_out_references(run: TrainingRun, rows: pd.DataFrame) -> References | None:
    """For a method that sees references, those of held-out rows."""
    return retrieved(run.crops, rows) if needs_references(run.method.sees) else None
