"""The folder of the project, and paths in it."""

import os
from pathlib import Path


def at_root(path: Path | str) -> Path:
    """A path relative to the project, even in the temporary workspace of a queued experiment.

    For files that all workspaces share and that are too large or too private to copy: raw data,
    checkpoints.
    """
    return project_root() / path


def project_root() -> Path:
    """The folder of the project: DVC's variable `DVC_ROOT` in a stage, else the current folder."""
    return Path(os.environ.get("DVC_ROOT") or Path.cwd())
