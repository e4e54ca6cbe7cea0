"""Row of the tables that is predicted image by image: a baseline, or predictions from outside."""

from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from thermochroma.base.tables import write_csv
from thermochroma.config.evaluation import EvaluateSettings
from thermochroma.evaluation.flicker import Pairs, Predictor, pairs_of, score_flicker
from thermochroma.evaluation.gallery import FILE, choose_gallery_rows, keep_gallery, with_extremes
from thermochroma.evaluation.outputs import write_outputs, write_panel
from thermochroma.evaluation.perceptual import Evaluation
from thermochroma.evaluation.scoring import scored_rows
from thermochroma.inference.predictions import spread
from thermochroma.loading.crops import Crops


@dataclass(frozen=True, eq=False)
class RowFrames:
    """The frames that every row of one data set is asked for."""

    scored: pd.DataFrame
    panel: pd.DataFrame
    gallery: pd.DataFrame
    pairs: Pairs


def frames_of(crops: Crops, settings: EvaluateSettings) -> RowFrames:
    """The frames by the settings of the evaluation, as the stage `evaluate` chooses them."""
    scored = scored_rows(crops, settings.frames_per_sequence)
    return RowFrames(
        scored,
        spread(crops.split("test"), settings.panel_frames),
        choose_gallery_rows(scored, settings.gallery_frames),
        pairs_of(crops, settings.video_pairs),
    )


def write_row(folder: Path, found: Evaluation, predict: Predictor, frames: RowFrames) -> None:
    """Write the files that `evaluate` writes for a method: scores, panel, gallery, flicker."""
    write_outputs(folder, found)
    write_panel(folder, predict(frames.panel).permute(0, 2, 3, 1).numpy())
    kept = with_extremes(frames.gallery, frames.scored, found.scores)
    images = predict(kept).permute(0, 2, 3, 1).numpy()
    keep_gallery(folder / FILE, found.scores, list(kept["frame"]), images)
    write_flicker(folder, frames.pairs, predict)


def write_flicker(folder: Path, pairs: Pairs, predict: Predictor) -> None:
    """Write how what is predicted, or true, flickers."""
    write_csv(folder / "flicker.csv", score_flicker(pairs, predict))
