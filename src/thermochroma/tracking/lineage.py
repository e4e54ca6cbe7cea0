"""Origin of a run: the Git commit, and DVC's variables for the stage that is running."""

import os
import subprocess
from typing import Final

from thermochroma.tracking.changes import PARAMS, changed_settings

CHANGED: Final = "dvc.changed"
"""Tag of the settings that an experiment has changed."""

# `dvc.lock`, if somebody keeps it in Git, describes outputs, and changes with each stage that ends.
INPUTS: Final = (":/", ":(exclude,top)dvc.lock")


def lineage(**tags: str) -> dict[str, str]:
    """Tags of a run for MLflow, with `tags` added; unknown ones (no Git, no DVC) are left out.

    In an experiment of DVC, a training of a `method` on a `dataset` has what was changed for it.
    """
    commit = os.environ.get("DVC_EXP_BASELINE_REV") or _git("rev-parse", "HEAD")
    found = {
        "git.commit": commit,
        "git.dirty": str(_differs(commit)).lower(),
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


def _differs(commit: str) -> bool:
    """Whether files that Git knows are others than in a commit, whichever one is checked out.

    DVC checks a commit of its own out for an experiment, with the changes in it.
    """
    return bool(commit and _git("diff", "--name-only", commit, "--", *INPUTS))


def _git(*arguments: str) -> str:
    try:
        answer = subprocess.run(["git", *arguments], capture_output=True, text=True, check=False)
    except OSError:  # git is not installed, or may not be run
        return ""
    return answer.stdout.strip() if answer.returncode == 0 else ""
