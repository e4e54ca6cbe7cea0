"""Judge the trivial and oracle rows of one data set, exactly as methods are judged."""

import json
from functools import partial
from pathlib import Path

import numpy as np

from thermochroma.base.device import choose_device
from thermochroma.base.files import whole_file, write_text
from thermochroma.baselines.catalogue import BASELINES, truth_name
from thermochroma.config.params import read_params
from thermochroma.contract.dataset import load_source
from thermochroma.evaluation.baselines import judge_baselines
from thermochroma.evaluation.flicker import Painter, Pairs, judge_flicker, pairs_of
from thermochroma.evaluation.gallery import FILE, choose_gallery_rows, keep_gallery, with_extremes
from thermochroma.evaluation.outputs import by_split, leave
from thermochroma.evaluation.perceptual import read_perception
from thermochroma.evaluation.scoring import judged_rows
from thermochroma.inference.predictions import spread, truth_of
from thermochroma.loading.crops import Crops


def score_baselines(
    dataset: str, params: Path, crops: Path, perception: Path, folder: Path, metrics: Path
) -> None:
    """One folder a row, laid out as `evaluate` lays out a method's."""
    settings, cut, device = read_params(params), Crops(crops), choose_device()
    how = settings.evaluate[dataset]
    judged = judged_rows(cut, how.frames_per_sequence)
    panel_rows = spread(cut.split("test"), how.panel_frames)
    gallery_rows = choose_gallery_rows(judged, how.gallery_frames)
    summary: dict[str, object] = {"note": load_source(dataset).note}
    pairs, looking = pairs_of(cut, how.video_pairs), read_perception(perception, device)
    for spectrum in BASELINES:
        leave_flicker(
            folder / truth_name(spectrum), pairs, partial(truth_of, cut, spectrum=spectrum)
        )
        rows = judge_baselines(
            cut, cut.split("train"), judged, spectrum=spectrum, perception=looking
        )
        for name, found, paint in rows:
            leave(folder / name, found)
            with whole_file(folder / name / "panel.npy") as part, part.open("wb") as stream:
                np.save(stream, paint(panel_rows).permute(0, 2, 3, 1).numpy())
            kept = with_extremes(gallery_rows, judged, found.scores)
            pictures = paint(kept).permute(0, 2, 3, 1).numpy()
            keep_gallery(folder / name / FILE, found.scores, list(kept["frame"]), pictures)
            leave_flicker(folder / name, pairs, paint)
            summary[name] = by_split(found)
    write_text(metrics, json.dumps(summary, indent=2) + "\n")


def leave_flicker(folder: Path, pairs: Pairs, paint: Painter) -> None:
    """Write how what is painted, or true, flickers."""
    with whole_file(folder / "flicker.csv") as part:
        judge_flicker(pairs, paint).to_csv(part, index=False)
