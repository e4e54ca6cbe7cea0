"""What a judged row leaves: for methods, other references and baselines alike."""

import json
from pathlib import Path

from thermochroma.base.files import whole_file, write_text
from thermochroma.base.manifest import JUDGED_SPLITS
from thermochroma.evaluation.perceptual import Judged
from thermochroma.evaluation.summary import means


def leave(folder: Path, judged: Judged) -> None:
    """Write the scores and the distances."""
    with whole_file(folder / "scores.csv") as part:
        judged.scores.to_csv(part, index=False)
    write_text(folder / "distances.json", json.dumps(judged.distances, indent=2) + "\n")


def by_split(judged: Judged) -> dict[str, dict[str, float]]:
    """The means of each split that is judged, and its distances."""
    scores = judged.scores
    return {
        split: means(scores[scores["split"] == split]) | dict(judged.distances.get(split, {}))
        for split in JUDGED_SPLITS
    }
