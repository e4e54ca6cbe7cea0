"""Score predictions that somebody hands in: their row of the table, beside those that learn nothing."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import pandas as pd

from thermochroma.base.device import choose_device
from thermochroma.base.files import write_text
from thermochroma.base.tables import write_csv
from thermochroma.baselines.catalogue import BASELINES, truth_name
from thermochroma.config.evaluation import EvaluateSettings
from thermochroma.contract.dataset import Dataset
from thermochroma.evaluation.flicker import Predictor, pairs_of, score_flicker
from thermochroma.evaluation.gallery import SPLIT
from thermochroma.evaluation.held_out import FOLDS, held_out_predictors
from thermochroma.evaluation.outside import in_batches
from thermochroma.evaluation.pairs_as_crops import pairs_as_crops
from thermochroma.evaluation.perceptual import (
    Evaluation,
    Perception,
    evaluate_images,
    read_perception,
)
from thermochroma.evaluation.scoring import SEEN, scored_rows
from thermochroma.loading.crops import Crops
from thermochroma.pipeline.entry import predictions_in
from thermochroma.pipeline.results import Spectrum, baseline_rows, flicker_of, of_split
from thermochroma.reporting.layout import About, Row, Table
from thermochroma.reporting.table import build_table
from thermochroma.reporting.table_text import to_csv, to_latex, to_markdown

NAME: Final = "scored"
"""Name of the row in CSV."""
BATCH: Final = 4
"""Images in memory at once, of folders."""
FOLDER: Final = "folder"
NO_SPLIT: Final = ""
"""Names of the data set and the split in tables of folders."""
NOTHING_TRAINED: Final = "none; nothing in this table was trained here"
HELD_OUT: Final = (
    "Rows that are fitted (mean colour, mean image, nearest training frame) are fitted to the other images "
    f"of the folder: in at most {FOLDS} parts, and each part is predicted from the rest."
)


@dataclass(frozen=True, eq=False)
class Scored:
    """Scores of the predictions, one row an image, and the table of all rows."""

    scores: pd.DataFrame
    table: Table

    @property
    def text(self) -> str:
        """Table in Markdown."""
        return to_markdown(self.table)


def score_on_dataset(
    folder: Path,
    dataset: str,
    settings: EvaluateSettings,
    *,
    record: Dataset,
    title: str,
    split: str,
    spectrum: Spectrum,
    seed: int,
    side: int,
    crops: Crops,
    baselines: Path,
    perception: Path,
) -> Scored:
    """Score predictions of one split's frames, as the stages score a method.

    spectrum: the one that is predicted. Raises BadInput if the folder does not fit the frames, or if the
    rows beside it have not been scored yet.
    """
    predict = predictions_in(folder, crops, split=split, spectrum=spectrum)
    others = _trivial(of_split(baseline_rows(spectrum, baselines), split))
    scored = scored_rows(crops, settings.frames_per_sequence)
    rows = scored[scored["split"] == split]
    looking = read_perception(perception, choose_device())
    batches = in_batches(rows, predict, size=settings.batch_size, title=title)
    found = evaluate_images(crops, rows, batches, spectrum=spectrum, perception=looking)
    row = _row(title, found)
    if split == SPLIT:
        video = score_flicker(pairs_of(crops, settings.video_pairs), predict)["flicker"].dropna()
        row = _row(title, found, flicker=float(video.mean()) if len(video) else None)
    about = About(
        dataset=dataset,
        title=f"{record.title}, {SEEN[spectrum]} to {spectrum}",
        note=record.note,
        split=split,
        size=side,
        frozen=NOTHING_TRAINED,
        reference=BASELINES[spectrum].reference,
        predicted=spectrum,
        true_flicker=flicker_of(baselines / truth_name(spectrum)),
    )
    return Scored(found.scores, build_table({NAME: row} | others, about, seed=seed))


def score_folder(
    folder: Path, *, truth: Path, thermal: Path, title: str, perception: Path | None
) -> Scored:
    """Score predictions of the images in a folder, each image as a sequence of its own.

    thermal: what the predictions were made from. perception: folder of published networks that score, or
    None. Raises BadInput if the three folders do not fit each other.
    """
    device = choose_device()
    looking = (
        Perception({}, {}, device) if perception is None else read_perception(perception, device)
    )
    with TemporaryDirectory() as place:
        crops = pairs_as_crops(truth, thermal, Path(place))
        predict = predictions_in(folder, crops, split=SPLIT, spectrum="visible")
        rows, found = crops.split(SPLIT), {}
        known: dict[str, Predictor] = {NAME: predict}
        known |= dict(held_out_predictors(crops, rows, spectrum="visible"))
        for name, one in known.items():
            batches = in_batches(rows, one, size=BATCH, title=name)
            found[name] = evaluate_images(
                crops, rows, batches, spectrum="visible", perception=looking
            )
        height, width = crops.visible(rows.iloc[0]).shape[:2]
    others = {
        name: replace(_row(one.title, found[name]), kind="trivial", note=HELD_OUT)
        for name, one in BASELINES["visible"].trivial.items()
    }
    shown = {NAME: _row(title, found[NAME])} | others
    shown = {
        name: replace(row, distances={NO_SPLIT: row.distances.get(SPLIT, {})})
        for name, row in shown.items()
    }
    about = About(
        dataset=FOLDER,
        title=f"Images of the folder {truth.name}, each taken as a sequence of its own",
        note="",
        split=NO_SPLIT,
        size=width,
        height=height,
        frozen=NOTHING_TRAINED,
    )
    return Scored(found[NAME].scores, build_table(shown, about))


def write_scored(scored: Scored, folder: Path) -> None:
    """Write the table in its three spellings, and the scores of every image."""
    write_csv(folder / "scores.csv", scored.scores)
    for end, spell in (("md", to_markdown), ("csv", to_csv), ("tex", to_latex)):
        write_text(folder / f"table.{end}", spell(scored.table))


def _row(title: str, found: Evaluation, *, flicker: float | None = None) -> Row:
    scores = found.scores.fillna({"place": "", "time": ""})
    return Row(title, "entry", scores, flicker=flicker, distances=found.distances)


def _trivial(rows: Mapping[str, Row]) -> dict[str, Row]:
    return {name: row for name, row in rows.items() if row.kind == "trivial"}
