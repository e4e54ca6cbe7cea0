"""The cards of all translators of one data set."""

from collections.abc import Mapping
from pathlib import Path

from thermochroma.base.files import sha256, write_text
from thermochroma.base.splits import SCORED_SPLITS
from thermochroma.baselines.catalogue import BASELINES
from thermochroma.config.comparison import Comparison
from thermochroma.config.entry import Entry
from thermochroma.evaluation.scoring import SEEN
from thermochroma.export.artifact import deviation_of, title_of
from thermochroma.export.metadata import read_metadata
from thermochroma.loading.crops import Crops
from thermochroma.pipeline.results import (
    TRANSLATOR,
    ResultFolders,
    direction_of,
    read_cost,
    read_scores,
)
from thermochroma.reporting.model_card import Scored, Subject, model_card


def write_cards(
    comparison: Comparison, *, crops: Crops, places: ResultFolders, folder: Path
) -> None:
    """Write `<name>.md` for each training of the line-up, repeats under other seeds too."""
    pairs = {split: len(crops.split(split)) for split in ("train", *SCORED_SPLITS)}
    for entry in comparison.entries:
        subject = subject_of(comparison, entry, places, pairs)
        reference = BASELINES[subject.predicted].reference
        title = BASELINES[subject.predicted].trivial[reference].title
        mine = read_scores(places.scores / entry.name)
        other = read_scores(places.baselines / reference)
        scored = [
            Scored(split, mine[mine["split"] == split], other[other["split"] == split], title)
            for split in reversed(SCORED_SPLITS)
        ]
        text = model_card(subject, [one for one in scored if len(one.scores)], seed=comparison.seed)
        write_text(folder / f"{entry.name}.md", text)


def subject_of(
    comparison: Comparison, entry: Entry, places: ResultFolders, pairs: Mapping[str, int]
) -> Subject:
    """Gather the facts on one trained translator."""
    path, record = places.runs / entry.name / TRANSLATOR, comparison.record
    metadata = read_metadata(path)
    predicted = direction_of(entry).predicted
    return Subject(
        name=entry.name,
        title=title_of(metadata),
        method=entry.settings.method,
        dataset=record.title,
        predicted=predicted,
        seen=SEEN[predicted],
        seed=entry.seed,
        images=metadata.images,
        scale=metadata.scale,
        frozen=metadata.frozen,
        deviation=deviation_of(metadata),
        parameters=float(read_cost(places.scores / entry.name / "cost.json")["parameters"]),
        sha256=sha256(path),
        note=record.note,
        licence=record.licence,
        citation=record.citation,
        pairs={**pairs, "train": entry.budget.frames or pairs["train"]},
        size=comparison.side,
    )
