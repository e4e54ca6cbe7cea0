"""Estimate how thermal maps onto visible: one transform a mount, with its quality."""

import json
import os
from pathlib import Path

from thermochroma.base.files import whole_file, write_text
from thermochroma.base.manifest import FRAME_COLUMNS, read_table, write_table
from thermochroma.base.project import at_root
from thermochroma.config.params import read_params
from thermochroma.contract.dataset import load_source
from thermochroma.data.registration.register import register
from thermochroma.data.registration.tables import (
    ESTIMATE_COLUMNS,
    TRANSFORM_COLUMNS,
    compare_with_truth,
    metrics,
)
from thermochroma.reporting.registration_card import build_card
from thermochroma.reporting.registration_sheet import draw_contact_sheet


def register_dataset(
    dataset: str,
    params: Path,
    frames: Path,
    raw: Path,
    registered: Path,
    report: Path,
    scores: Path,
) -> None:
    """Writes transforms, not images; where the truth is known, how far they are from it."""
    source, settings = load_source(dataset), read_params(params).registration
    table, folder = read_table(frames, FRAME_COLUMNS), at_root(raw)
    workers = os.cpu_count() or 1
    transforms, estimates = register(
        table, raw=folder, stills=source.stills, workers=workers, **settings.model_dump()
    )
    errors = compare_with_truth(transforms, source.truth(folder)) if source.truth else None
    write_table(registered / "transforms.csv", transforms, TRANSFORM_COLUMNS)
    write_table(registered / "estimates.csv", estimates, ESTIMATE_COLUMNS)
    write_text(scores, json.dumps(metrics(transforms, errors), indent=2) + "\n")
    write_text(
        report / "card.md", build_card(transforms, errors, title=source.title, note=source.note)
    )
    with whole_file(report / "before_after.png") as part:
        sheet = draw_contact_sheet(transforms, table, errors, raw=folder, note=source.note)
        sheet.savefig(part)
