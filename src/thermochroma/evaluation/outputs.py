"""Files and means of a scored row, for methods, other references and baselines alike."""

from pathlib import Path
from typing import Final

import numpy as np
from jaxtyping import UInt8

from thermochroma.base.files import whole_file
from thermochroma.base.reading import reading
from thermochroma.base.sealed import REMEDY, write_json
from thermochroma.base.splits import SCORED_SPLITS
from thermochroma.base.tables import write_csv
from thermochroma.evaluation.perceptual import Evaluation
from thermochroma.evaluation.summary import means

PANEL: Final = "panel.npz"
"""Name of the file with the predictions of the panel frames. Its format has a CRC-32 of what is in it."""


def write_outputs(folder: Path, scored: Evaluation) -> None:
    """Write the scores (CSV) and the distances (JSON) of a row, each whole or not at all."""
    write_csv(folder / "scores.csv", scored.scores)
    write_json(folder / "distances.json", scored.distances)


def write_panel(folder: Path, images: UInt8[np.ndarray, "n h w c"]) -> None:
    """Write the predictions of the panel frames, whole or not at all; equal ones give equal bytes."""
    with whole_file(folder / PANEL) as part, part.open("wb") as stream:
        np.savez(stream, images=images)


def read_panel(folder: Path) -> UInt8[np.ndarray, "n h w c"]:
    """Read what `write_panel` wrote. Raises BadInput if it was cut or changed."""
    path = folder / PANEL
    needed = "the predictions of the panel frames"
    with reading(path, needed=needed, remedy=REMEDY), np.load(path) as stored:
        images: UInt8[np.ndarray, "n h w c"] = stored["images"]
    return images


def by_split(scored: Evaluation) -> dict[str, dict[str, float]]:
    """Mean of each score, and the distances, of each scored split."""
    scores = scored.scores
    return {
        split: means(scores[scores["split"] == split]) | dict(scored.distances.get(split, {}))
        for split in SCORED_SPLITS
    }
