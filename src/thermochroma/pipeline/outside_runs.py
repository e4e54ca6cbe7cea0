"""Rows from outside as runs in MLflow: predictions that somebody else has made, scored here."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from thermochroma.base.cells import markdown_cell
from thermochroma.base.reading import reading
from thermochroma.base.splits import SCORED_SPLITS
from thermochroma.config.outside import ClaimedCost, OutsideEntry
from thermochroma.evaluation.summary import as_readings
from thermochroma.pipeline.stored import AGAIN, PREDICTIONS, means_in, read_mapping
from thermochroma.tracking.lineage import lineage

if TYPE_CHECKING:
    from thermochroma.tracking.mlflow_client import Tracker

KIND: Final = "entry"
DIGEST: Final = "predictions.sha256"
"""Tag of the digest of the images: other images under the same name are another run."""
SUMMARY: Final = (
    "means of the scores by split and the digest of the images, as the stage entry writes them"
)


@dataclass(frozen=True)
class ScoredEntry:
    """Row from outside, and what its files tell of its scores."""

    name: str
    entry: OutsideEntry
    predictions: str
    """Digest of the images that were scored."""
    summary: Mapping[str, Mapping[str, float]]


def read_scored(name: str, entry: OutsideEntry, metrics: Path) -> ScoredEntry:
    """Read what the stage `entry` has left. Raises BadInput if it is another file."""
    found = read_mapping(metrics, needed=SUMMARY, keys=[*SCORED_SPLITS, PREDICTIONS])
    with reading(metrics, needed=SUMMARY, remedy=AGAIN):
        summary = means_in({split: found[split] for split in SCORED_SPLITS})
    return ScoredEntry(name, entry, str(found[PREDICTIONS]), summary)


def log_scored(tracker: "Tracker", scored: ScoredEntry) -> None:
    """One run for each set of images, found by their digest; what is said of them may change in it."""
    entry = scored.entry
    tags = {"dataset": entry.dataset, "row": scored.name, "kind": KIND, DIGEST: scored.predictions}
    found = tracker.find(**tags)
    run_id = tracker.add(name=scored.name, tags=lineage(**tags)) if not found else found.info.run_id
    tracker.log_scores(run_id, as_readings(scored.summary))
    origin = {"predicts": entry.predicts, "origin.folder": entry.folder, **claims(entry)}
    tracker.describe(run_id, words_on(entry), tags=origin)


def claims(entry: OutsideEntry) -> dict[str, str]:
    """The cost that is claimed, as tags: MLflow takes no other value for a parameter later.

    What is not claimed any more takes the place of what was.
    """
    cost = (entry.cost or ClaimedCost()).model_dump()
    return {f"claimed.{key}": str(value or "nothing") for key, value in cost.items()}


def words_on(entry: OutsideEntry) -> str:
    """Description of the run, in Markdown."""
    return (
        f"{markdown_cell(entry.title)}: predictions made elsewhere, handed in as images and scored as "
        f"every method's are, on the test split of `{entry.dataset}`. Nothing was trained here; a cost "
        "is what is claimed."
    )
