"""Origin of a run: the Git commit, and DVC's variables for the stage that is running."""

import os
import subprocess
from typing import Final

from thermochroma.tracking.changes import PARAMS, changed_settings

CHANGED: Final = "dvc.changed"
"""Tag of the settings that an experiment has changed."""

# `dvc.lock`, if somebody keeps it in Git, describes outputs, and changes with each stage that ends.
CHANGED_INPUTS = (
    "status",
    "--porcelain",
    "--untracked-files=no",
    "--",
    ":/",
    ":(exclude,top)dvc.lock",
)


def lineage(**tags: str) -> dict[str, str]:
    """Tags of a run for MLflow, with `tags` added; unknown ones (no Git, no DVC) are left out.

    In an experiment of DVC, a training of a `method` on a `dataset` has what was changed for it.
    """
    found = {
        "git.commit": os.environ.get("DVC_EXP_BASELINE_REV") or _git("rev-parse", "HEAD"),
        "git.dirty": str(bool(_git(*CHANGED_INPUTS))).lower(),
        "dvc.stage": os.environ.get("DVC_STAGE", ""),
        "dvc.exp": os.environ.get("DVC_EXP_NAME", ""),
        CHANGED: _changed(tags.get("dataset", ""), tags.get("method", "")),
        **tags,
    }
    return {key: value for key, value in found.items() if value}


def in_experiment() -> bool:
    """Whether the stage that is running is one of an experiment of DVC."""
    return bool(os.environ.get("DVC_EXP_BASELINE_REV"))


def _changed(dataset: str, method: str) -> str:
    if not (in_experiment() and dataset and method):
        return ""
    before = _git("show", f"{os.environ['DVC_EXP_BASELINE_REV']}:./{PARAMS}")
    return changed_settings(before, dataset=dataset, method=method)


def _git(*arguments: str) -> str:
    try:
        answer = subprocess.run(["git", *arguments], capture_output=True, text=True, check=False)
    except OSError:  # git is not installed, or may not be run
        return ""
    return answer.stdout.strip() if answer.returncode == 0 else ""
