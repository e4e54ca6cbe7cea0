"""What DVC has recorded: of the stages, only those ask that keep work until it is."""

from pathlib import Path
from typing import Any, Final

import yaml

LOADER: Final = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # the same in C, where PyYAML has it


def recorded_in(lock: Path) -> set[str]:
    """MD5 of each output that dvc.lock records and that lies in its place.

    DVC removes a stage's outputs before it runs the stage, and records them behind it. An output that is
    away is being made again, whatever dvc.lock says of it, which may have come with a clone.
    """
    try:
        told: Any = yaml.load(lock.read_text(encoding="utf-8"), LOADER)
        outs = [out for stage in told["stages"].values() for out in stage.get("outs", ())]
        return {str(out["md5"]) for out in outs if out["md5"] and Path(out["path"]).exists()}
    except (OSError, yaml.YAMLError, LookupError, TypeError, AttributeError):
        return set()  # there is none yet, or it is being written just now: nothing is certain
