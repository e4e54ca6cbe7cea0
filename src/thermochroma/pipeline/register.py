"""Estimate how thermal maps onto visible: one transform a mount, with its quality."""

import json
import os
from pathlib import Path

from thermochroma.base.files import write_text
from thermochroma.base.manifest import FRAME_COLUMNS, read_table, write_table
from thermochroma.base.project import at_root
from thermochroma.config.registration import RegisterSettings
from thermochroma.contract.dataset import Dataset
from thermochroma.data.registration.aligned import as_they_are
from thermochroma.data.registration.register import register
from thermochroma.data.registration.tables import (
    ESTIMATE_COLUMNS,
    TRANSFORM_COLUMNS,
    compare_with_truth,
    metrics,
)


def register_dataset(
    record: Dataset,
    settings: RegisterSettings,
    *,
    frames: Path,
    raw: Path,
    registered: Path,
    scores: Path,
) -> None:
    """Write transforms, not images, and how good they are; where the truth is known, how far from it."""
    table, folder = read_table(frames, FRAME_COLUMNS), at_root(raw)
    workers = os.cpu_count() or 1
    if record.aligned:
        transforms, estimates = as_they_are(table)
    else:
        transforms, estimates = register(
            table, raw=folder, stills=record.stills, workers=workers, **settings.model_dump()
        )
    errors = compare_with_truth(transforms, record.truth(folder)) if record.truth else None
    write_table(registered / "transforms.csv", transforms, TRANSFORM_COLUMNS)
    write_table(registered / "estimates.csv", estimates, ESTIMATE_COLUMNS)
    write_text(scores, json.dumps(metrics(transforms, errors), indent=2) + "\n")
