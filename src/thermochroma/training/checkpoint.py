"""Checkpoints that resume to the same bits. They carry a fingerprint of settings, data and code."""

import json
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any
from zipfile import BadZipFile, ZipFile

import torch
from tqdm import tqdm

from thermochroma.base.errors import BadInput
from thermochroma.base.files import seed_of, whole_file
from thermochroma.base.reading import reading
from thermochroma.training.state import Training

FILE, BEFORE = "training.pt", "before.pt"
"""Names of the last checkpoint and of the one before it."""


def fingerprint_of(**parts: object) -> str:
    """Short name for everything that decides the outcome. parts: values that JSON can hold."""
    return f"{seed_of(json.dumps(parts, sort_keys=True, default=str)):016x}"


def save(training: Training, folder: Path, *, fingerprint: str) -> None:
    """Write the checkpoint, whole or not at all, and keep the one before it.

    Raises BadInput, with the old one in its place, if what was written cannot be read.
    """
    path = folder / FILE
    with whole_file(path) as part:
        # Through Python's own stream: a full disk then is an OSError, not an assertion of torch's writer.
        with part.open("wb") as stream:
            torch.save({"fingerprint": fingerprint, "training": training.state_dict()}, stream)
        with reading(part, needed="a whole checkpoint", remedy="look at the disk, then run again"):
            _refuse_damaged(part)
        if path.exists():
            path.replace(folder / BEFORE)


def resume(
    training: Training,
    folder: Path,
    *,
    fingerprint: str,
    tell: Callable[[str], None] = tqdm.write,
) -> bool:
    """Continue from the last checkpoint in `folder`; if it is damaged, `tell` so and take the one before.

    Returns False for a fresh start. Raises BadInput if no file can be read or one carries another
    fingerprint: it may belong to somebody's other training, and is never deleted.
    """
    first: BadInput | None = None
    for path in (folder / FILE, folder / BEFORE):
        if not path.exists():
            continue
        try:
            stored = _load(path)
        except BadInput as problem:
            first = first or problem
            continue
        _refuse_other(stored["fingerprint"], path, fingerprint)
        with _reading(path):
            training.load_state_dict(stored["training"])
        if first is not None:
            tell(f"{first.given}; going on from the checkpoint before it, {path.name}")
        return True
    if first is not None:
        raise first
    return False


def others(root: Path, *, label: str, fingerprint: str) -> list[str]:
    """Fingerprints of the checkpoints of trainings with this label but other settings."""
    return sorted(
        folder.name.removeprefix(f"{label}-")
        for folder in root.glob(f"{label}-*")
        if folder.name != f"{label}-{fingerprint}" and (folder / FILE).exists()
    )


def _load(path: Path) -> Mapping[str, Any]:
    with _reading(path):
        _refuse_damaged(path)
        stored: Mapping[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
        if {*stored} != {"fingerprint", "training"}:
            raise KeyError(f"it holds {[*stored]}")
    return stored


def _refuse_damaged(path: Path) -> None:
    """Compare every entry with its checksum, which `torch.load` never does."""
    with ZipFile(path) as archive:
        if (entry := archive.testzip()) is not None:
            raise BadZipFile(f"the checksum of {entry} is wrong")


def _refuse_other(found: str, path: Path, fingerprint: str) -> None:
    if found != fingerprint:
        raise BadInput(
            given=f"the checkpoint {path} belongs to the training {found}",
            needed=f"one of the training {fingerprint}: same settings, data and code",
            remedy=f"remove the folder {path.parent} to start afresh",
        )


def _reading(path: Path) -> AbstractContextManager[None]:
    remedy = f"remove the folder {path.parent} to start afresh"
    return reading(path, needed="a whole checkpoint", remedy=remedy)
