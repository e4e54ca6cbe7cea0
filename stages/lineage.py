"""Where a run comes from: the commit, and what DVC says of the stage that is running."""

import os
import subprocess


def lineage(**tags: str) -> dict[str, str]:
    """Tags for MLflow; what is unknown (no git, no DVC) is left out."""
    found = {
        "git.commit": os.environ.get("DVC_EXP_BASELINE_REV") or _git("rev-parse", "HEAD"),
        "git.dirty": str(bool(_git("status", "--porcelain", "--untracked-files=no"))).lower(),
        "dvc.stage": os.environ.get("DVC_STAGE", ""),
        "dvc.exp": os.environ.get("DVC_EXP_NAME", ""),
        **tags,
    }
    return {key: value for key, value in found.items() if value}


def _git(*arguments: str) -> str:
    answer = subprocess.run(["git", *arguments], capture_output=True, text=True, check=False)
    return answer.stdout.strip() if answer.returncode == 0 else ""
