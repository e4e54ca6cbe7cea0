"""The stages of dvc.yaml as they are written there."""

from pathlib import Path
from typing import Any

import yaml

from tests.rooms import ROOT


def stages_of(root: Path = ROOT) -> dict[str, dict[str, Any]]:
    """Each stage by its name; of one that stands once for each entry of a block, what is done for each."""
    found = yaml.safe_load((root / "dvc.yaml").read_text())["stages"]
    return {name: stage.get("do", stage) for name, stage in found.items()}


def module_of(stage: str) -> str:
    """The module below `stages/` that a stage runs: `train` for `train_video@sample-i2v_gan`."""
    return stage.partition("@")[0].partition("_")[0]
