"""Snapshots: translators as deployed before the end of a training, for the curves of the paper.

They are kept beside the checkpoint while the training runs, so that a training that was killed and
resumed writes the same ones.
"""

import shutil
from pathlib import Path
from typing import Final

from thermochroma.base.files import whole_folder
from thermochroma.export.artifact import save_translator, snapshot_name, snapshots_in
from thermochroma.export.metadata import Metadata
from thermochroma.training.state import Training

FOLDER: Final = "snapshots"
"""Name of the folder of snapshots, beside a translator and beside a checkpoint."""


def keep(training: Training, folder: Path, metadata: Metadata) -> None:
    """Write the translator as it would be deployed now; nothing at the end, when it is deployed itself."""
    progress = training.progress
    if progress.images < progress.of:
        save_translator(training.deployed, folder / snapshot_name(progress.images), metadata)


def move_snapshots(kept: Path, folder: Path) -> None:
    """Copy the kept snapshots, whole or not at all; write an empty folder if there are none."""
    with whole_folder(folder) as part:
        for path in snapshots_in(kept) if kept.exists() else ():
            shutil.copyfile(path, part / path.name)
