"""Checkpoints that resume to the same bits. They carry a fingerprint of settings, data and code."""

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from pickle import UnpicklingError
from typing import Any

import torch

from thermochroma.base.errors import BadInput
from thermochroma.base.files import seed_of, whole_file
from thermochroma.training.state import Training

FILE = "training.pt"


def fingerprint_of(**parts: object) -> str:
    """Short name for everything that decides the outcome. parts: values that JSON can hold."""
    return f"{seed_of(json.dumps(parts, sort_keys=True, default=str)):016x}"


def save(training: Training, folder: Path, *, fingerprint: str) -> None:
    """Write the checkpoint, whole or not at all."""
    # Through Python's own stream: a full disk then is an OSError, not an assertion of torch's writer.
    with whole_file(folder / FILE) as part, part.open("wb") as stream:
        torch.save({"fingerprint": fingerprint, "training": training.state_dict()}, stream)


def resume(training: Training, folder: Path, *, fingerprint: str) -> bool:
    """Continue from the checkpoint in `folder`, if there is one of this training.

    Returns False for a fresh start. Raises BadInput if the file cannot be read or carries another
    fingerprint: it may belong to somebody's other training, and is never deleted.
    """
    path = folder / FILE
    if not path.exists():
        return False
    stored = _load(path)
    if stored["fingerprint"] != fingerprint:
        raise BadInput(
            given=f"the checkpoint {path} belongs to the training {stored['fingerprint']}",
            needed=f"one of the training {fingerprint}: same settings, data and code",
            remedy="remove that folder to start afresh",
        )
    training.load_state_dict(stored["training"])
    return True


def others(root: Path, *, label: str, fingerprint: str) -> list[str]:
    """Fingerprints of the checkpoints of trainings with this label but other settings."""
    return sorted(
        folder.name.removeprefix(f"{label}-")
        for folder in root.glob(f"{label}-*")
        if folder.name != f"{label}-{fingerprint}" and (folder / FILE).exists()
    )


def discard(folder: Path) -> None:
    """Remove the checkpoint of a training that has ended well."""
    shutil.rmtree(folder)


def _load(path: Path) -> Mapping[str, Any]:
    try:
        stored: Mapping[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
    except (RuntimeError, EOFError, OSError, UnpicklingError) as error:
        raise BadInput(
            given=f"the checkpoint {path} cannot be read ({error})",
            needed="a whole checkpoint",
            remedy="remove that folder to start afresh",
        ) from error
    return stored
