"""The folder of the project, and paths in it."""

import os
from pathlib import Path


def at_root(path: Path | str) -> Path:
    """A path relative to the project, even in the temporary workspace of a queued experiment.

    For what is shared by all workspaces and too large or too private to copy: raw data, checkpoints.
    """
    return project_root() / path


def project_root() -> Path:
    """The folder of the project; DVC names it to every stage that it runs."""
    return Path(os.environ.get("DVC_ROOT") or Path.cwd())
