"""What a scored row leaves: for methods, other references and baselines alike."""

import json
from pathlib import Path

from thermochroma.base.files import whole_file, write_text
from thermochroma.base.manifest import SCORED_SPLITS
from thermochroma.evaluation.perceptual import Evaluation
from thermochroma.evaluation.summary import means


def write_outputs(folder: Path, scored: Evaluation) -> None:
    """Write the scores and the distances."""
    with whole_file(folder / "scores.csv") as part:
        scored.scores.to_csv(part, index=False)
    write_text(folder / "distances.json", json.dumps(scored.distances, indent=2) + "\n")


def by_split(scored: Evaluation) -> dict[str, dict[str, float]]:
    """The means of each split that is scored, and its distances."""
    scores = scored.scores
    return {
        split: means(scores[scores["split"] == split]) | dict(scored.distances.get(split, {}))
        for split in SCORED_SPLITS
    }
