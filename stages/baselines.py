"""Judge the trivial and oracle rows of one data set, exactly as methods are judged."""

import json
from pathlib import Path

import numpy as np

from stages.command import run
from thermochroma.files import whole_file, write_text
from thermochroma.judging import judged_rows, spread
from thermochroma.judging_baselines import judge_baselines
from thermochroma.loading.crops import Crops
from thermochroma.params import read_params
from thermochroma.source import load_source
from thermochroma.summary import JUDGED_SPLITS, means


def main(dataset: str, params: Path, crops: Path, folder: Path, metrics: Path) -> None:
    """One folder a row, laid out as `evaluate` lays out a method's."""
    settings, cut = read_params(params), Crops(crops)
    how = settings.evaluate[dataset]
    judged = judged_rows(cut, how.frames_per_sequence)
    panel_rows = spread(cut.split("test"), how.panel_frames)
    summary: dict[str, object] = {"note": load_source(dataset).note}
    for name, scores, paint in judge_baselines(cut, cut.split("train"), judged):
        with whole_file(folder / name / "scores.csv") as part:
            scores.to_csv(part, index=False)
        with whole_file(folder / name / "panel.npy") as part, part.open("wb") as stream:
            np.save(stream, paint(panel_rows).permute(0, 2, 3, 1).numpy())
        summary[name] = {split: means(scores[scores["split"] == split]) for split in JUDGED_SPLITS}
    write_text(metrics, json.dumps(summary, indent=2) + "\n")


if __name__ == "__main__":
    run(main)
