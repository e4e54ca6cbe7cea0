"""Snapshots: what would have shipped before the end of a training, kept for the curves of the paper.

They are kept beside the checkpoint while the training lasts, so that one that was killed and resumed
leaves the same ones.
"""

import shutil
from pathlib import Path
from typing import Final

from thermochroma.base.files import whole_folder
from thermochroma.export.artifact import save_translator, snapshot_name, snapshots_in
from thermochroma.export.metadata import Metadata
from thermochroma.training.state import Training

FOLDER: Final = "snapshots"
"""Its name beside a translator, and beside a checkpoint."""


def keep(training: Training, folder: Path, metadata: Metadata) -> None:
    """Write what would ship now; at the end nothing, since that ships."""
    progress = training.progress
    if progress.images < progress.of:
        save_translator(training.deployed, folder / snapshot_name(progress.images), metadata)


def move_snapshots(kept: Path, folder: Path) -> None:
    """Copy what was kept, whole or not at all; an empty folder if nothing was."""
    with whole_folder(folder) as part:
        for path in snapshots_in(kept) if kept.exists() else ():
            shutil.copyfile(path, part / path.name)
