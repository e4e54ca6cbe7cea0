"""Bring a data set to disk in its authors' layout, and list its frames."""

import json
from pathlib import Path

import pandas as pd
from tqdm import tqdm

from thermochroma.base.files import write_text
from thermochroma.base.manifest import FRAME_COLUMNS, write_table
from thermochroma.base.project import at_root
from thermochroma.contract.dataset import Dataset, DatasetSettings, describe
from thermochroma.data.acquisition.audit import audit
from thermochroma.data.acquisition.audit import metrics as count
from thermochroma.data.acquisition.expected_counts import refuse_empty_splits
from thermochroma.data.acquisition.inspect import inspect
from thermochroma.data.acquisition.inventory import warnings_noted
from thermochroma.data.acquisition.ledger import Ledger
from thermochroma.data.acquisition.tone_mapping import tones


def download(
    dataset: str,
    settings: DatasetSettings,
    *,
    raw: Path,
    frames: Path,
    report: Path,
    metrics: Path,
) -> None:
    """Bring a data set to disk, check it, and write the table of its frames.

    Raw data stay outside DVC's cache; the table, with hashes of the files, is what DVC hashes. Raises
    BadInput, with nothing written, for data that cannot be had or used, and for a split without frames.
    """
    record = describe(dataset, settings)
    if settings.source is not None:
        settings = settings.model_copy(update={"source": str(at_root(settings.source))})
    folder = at_root(raw)
    record.acquire(settings, folder)
    table = _table(record, settings, folder)
    refuse_empty_splits(table, name=dataset)
    remarks = record.remarks(settings, table) if record.remarks else ()
    for remark in remarks:
        tqdm.write(f"{dataset}: {remark}")
    text = audit(
        table,
        title=record.title,
        note=record.note,
        remarks=remarks,
        warnings=warnings_noted(folder),
        downloads=Ledger.beside(folder, dataset).entries(),
    )
    write_table(frames, table, FRAME_COLUMNS)
    write_text(report / "audit.md", text)
    write_text(metrics, json.dumps(count(table), indent=2) + "\n")


def _table(record: Dataset, settings: DatasetSettings, folder: Path) -> pd.DataFrame:
    listed = record.frames(settings, folder)
    table = inspect(
        listed,
        folder,
        on_defect=settings.on_defect,
        image_size=settings.image_size,
        tones=tones(listed, folder, settings.tone),
    )
    return record.choose(settings, table) if record.choose else table
