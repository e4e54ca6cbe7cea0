"""Score the trivial, probe and oracle rows of one data set, exactly as methods are scored."""

from functools import partial
from pathlib import Path

from thermochroma.base.device import choose_device
from thermochroma.base.sealed import write_json
from thermochroma.baselines.catalogue import BASELINES, truth_name
from thermochroma.config.evaluation import EvaluateSettings
from thermochroma.evaluation.baselines import score_baselines
from thermochroma.evaluation.outputs import by_split
from thermochroma.evaluation.perceptual import read_perception
from thermochroma.inference.predictions import truth_of
from thermochroma.loading.crops import Crops
from thermochroma.networks.efficientnet_lite import load_efficientnet
from thermochroma.pipeline.predicted_row import frames_of, write_flicker, write_row


def evaluate_baselines(
    settings: EvaluateSettings,
    *,
    note: str,
    crops: Path,
    efficientnet: Path,
    perception: Path,
    folder: Path,
    metrics: Path,
) -> None:
    """Write one folder a row, with the files that `evaluate` writes for a method."""
    cut = Crops(crops)
    frames, looking = frames_of(cut, settings), read_perception(perception, choose_device())
    summary: dict[str, object] = {"note": note}
    for spectrum in BASELINES:
        write_flicker(
            folder / truth_name(spectrum), frames.pairs, partial(truth_of, cut, spectrum=spectrum)
        )
        rows = score_baselines(
            cut,
            cut.split("train"),
            frames.scored,
            spectrum=spectrum,
            perception=looking,
            features=load_efficientnet(efficientnet),
        )
        for name, found, predict in rows:
            write_row(folder / name, found, predict, frames)
            summary[name] = by_split(found)
    write_json(metrics, summary)
