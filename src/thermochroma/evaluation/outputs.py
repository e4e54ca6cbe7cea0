"""Files and means of a scored row, for methods, other references and baselines alike."""

import json
from pathlib import Path

from thermochroma.base.files import whole_file, write_text
from thermochroma.base.manifest import SCORED_SPLITS
from thermochroma.evaluation.perceptual import Evaluation
from thermochroma.evaluation.summary import means


def write_outputs(folder: Path, scored: Evaluation) -> None:
    """Write the scores (CSV) and the distances (JSON) of a row, each whole or not at all."""
    with whole_file(folder / "scores.csv") as part:
        scored.scores.to_csv(part, index=False)
    write_text(folder / "distances.json", json.dumps(scored.distances, indent=2) + "\n")


def by_split(scored: Evaluation) -> dict[str, dict[str, float]]:
    """Mean of each score, and the distances, of each scored split."""
    scores = scored.scores
    return {
        split: means(scores[scores["split"] == split]) | dict(scored.distances.get(split, {}))
        for split in SCORED_SPLITS
    }
