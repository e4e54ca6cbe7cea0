"""Cut windows out of the field that both cameras see, in one interpolation from the raw images."""

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pandas as pd
import PIL
from tqdm import tqdm

from thermochroma.base.files import seed_of, sha256, write_text
from thermochroma.base.manifest import CROP_COLUMNS, FRAME_COLUMNS, read_table, write_table
from thermochroma.base.project import at_root
from thermochroma.base.workplace import RECEIPT, deliver, others, workplace
from thermochroma.config.cropping import CropSettings
from thermochroma.contract.dataset import Matrix
from thermochroma.data.cropping.counts import crop_counts
from thermochroma.data.cropping.near_duplicates import (
    Note,
    Thumbnails,
    drop_similar,
    fit_threshold,
    keep_thumbnails,
    steps,
    take_thumbnails,
)
from thermochroma.data.cropping.shards import fingerprint_shards, write_shards
from thermochroma.data.cropping.windows import (
    assign_shards,
    plan_full,
    plan_windows,
    refuse_too_small,
)
from thermochroma.data.registration.tables import TRANSFORM_COLUMNS, matrices
from thermochroma.loading.crops import FINGERPRINT, FULL, MANIFEST


@dataclass(frozen=True)
class Cropping:
    """All that one cropping is made of."""

    dataset: str
    settings: CropSettings
    frames: pd.DataFrame
    windows: pd.DataFrame
    transforms: dict[str, Matrix]
    raw: Path
    fingerprint: str
    workers: int


def crop(
    dataset: str,
    settings: CropSettings,
    *,
    upscale: bool,
    seed: int,
    on_defect: str,
    frames: Path,
    registered: Path,
    raw: Path,
    code: Path,
    checkpoints: Path,
    crops: Path,
    metrics: Path,
) -> None:
    """Write shards, the manifest of what is in them and why not, and counts of what was dropped.

    Goes on from the shards that an interrupted cropping of the very same settings, data and code has
    finished, to the same bytes; those of one that has ended are only delivered again.
    """
    cropping = prepare(
        dataset,
        settings,
        upscale=upscale,
        seed=seed,
        on_defect=on_defect,
        frames=frames,
        registered=registered,
        raw=at_root(raw),
        code=code,
    )
    with workplace(at_root(checkpoints) / f"crop-{dataset}-{cropping.fingerprint}") as place:
        if left := others(place):
            tqdm.write(
                f"{dataset}: shards of other settings, data or code are left alone: "
                f"{', '.join(left)}"
            )
        if (place / RECEIPT).exists():
            tqdm.write(
                f"{dataset}: was cut before, to the end; the crops are delivered again (to cut them once "
                f"more, remove {place})"
            )
        counts = json.dumps(make(cropping, place), indent=2) + "\n"
        write_text(metrics, counts)
        if deliver(place / "crops", crops):
            write_text(place / RECEIPT, counts)


def prepare(
    dataset: str,
    settings: CropSettings,
    *,
    upscale: bool,
    seed: int,
    on_defect: str,
    frames: Path,
    registered: Path,
    raw: Path,
    code: Path,
) -> Cropping:
    """Plan the windows, and name the plan by a fingerprint of all that decides its outcome."""
    table = read_table(frames, FRAME_COLUMNS)
    transforms = matrices(read_table(registered / "transforms.csv", TRANSFORM_COLUMNS))
    windows = plan_windows(
        table,
        transforms,
        size=settings.size,
        clip_frames=settings.clip_frames,
        upscale=upscale,
        seed=seed,
    )
    if on_defect == "refuse":
        refuse_too_small(windows, size=settings.size, dataset=dataset)
    parts = {
        "settings": settings.model_dump(),
        "seed": seed,
        "upscale": upscale,
        "data": [sha256(path) for path in (frames, registered / "transforms.csv", code)],
        "libraries": [cv2.__version__, PIL.__version__, np.__version__],
    }
    fingerprint = f"{seed_of(json.dumps(parts, sort_keys=True)):016x}"
    workers = os.cpu_count() or 1
    return Cropping(dataset, settings, table, windows, transforms, raw, fingerprint, workers)


def make(cropping: Cropping, place: Path) -> dict[str, Any]:
    """Make everything inside `place`; returns the counts."""
    windows, thumbnails, note, found = choose(cropping, place / "thumbnails")
    plan = assign_shards(windows)
    cut(cropping, plan, place / "crops", title="crop", note=note)
    counts = crop_counts(cropping.frames, plan, thumbnails, steps(thumbnails)) | found
    if cropping.settings.full:
        full = assign_shards(plan_full(cropping.frames, cropping.transforms, windows))
        cut(cropping, full, place / "crops" / FULL, title="full")
        counts["full"] = int((full["dropped"] == "").sum())
    return counts


def choose(
    cropping: Cropping, path: Path
) -> tuple[pd.DataFrame, Thumbnails, Note | None, dict[str, float]]:
    """The windows without near duplicates, if these are to go; their thumbnails, or what will note
    them; and the threshold, if there is one."""
    dedup, windows = cropping.settings.dedup, cropping.windows
    if dedup is None:
        return windows, *keep_thumbnails(windows, path), {}
    thumbnails = take_thumbnails(windows, path, raw=cropping.raw, workers=cropping.workers)
    threshold = dedup.threshold
    if threshold is None:
        assert dedup.images is not None  # the validator saw to it
        threshold = fit_threshold(thumbnails, dedup.images)
    windows = drop_similar(windows, thumbnails, threshold)
    return windows, thumbnails, None, {"dedup_threshold": threshold}


def cut(
    cropping: Cropping, plan: pd.DataFrame, folder: Path, *, title: str, note: Note | None = None
) -> None:
    """A folder that `Crops` can open."""
    write_shards(
        plan,
        cropping.transforms,
        raw=cropping.raw,
        folder=folder,
        workers=cropping.workers,
        title=title,
        note=note,
    )
    write_table(folder / MANIFEST, plan[[*CROP_COLUMNS]], CROP_COLUMNS)
    write_text(folder / FINGERPRINT, fingerprint_shards(folder, workers=cropping.workers))
