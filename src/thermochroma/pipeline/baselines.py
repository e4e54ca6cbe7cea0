"""Score the trivial and oracle rows of one data set, exactly as methods are scored."""

from functools import partial
from pathlib import Path

from thermochroma.base.device import choose_device
from thermochroma.base.sealed import write_json
from thermochroma.base.tables import write_csv
from thermochroma.baselines.catalogue import BASELINES, truth_name
from thermochroma.config.evaluation import EvaluateSettings
from thermochroma.contract.dataset import load_dataset
from thermochroma.evaluation.baselines import score_baselines
from thermochroma.evaluation.flicker import Pairs, Predictor, pairs_of, score_flicker
from thermochroma.evaluation.gallery import FILE, choose_gallery_rows, keep_gallery, with_extremes
from thermochroma.evaluation.outputs import by_split, write_outputs, write_panel
from thermochroma.evaluation.perceptual import read_perception
from thermochroma.evaluation.scoring import scored_rows
from thermochroma.inference.predictions import spread, truth_of
from thermochroma.loading.crops import Crops


def evaluate_baselines(
    dataset: str,
    settings: EvaluateSettings,
    *,
    crops: Path,
    perception: Path,
    folder: Path,
    metrics: Path,
) -> None:
    """Write one folder a row, with the files that `evaluate` writes for a method."""
    cut, device = Crops(crops), choose_device()
    scored = scored_rows(cut, settings.frames_per_sequence)
    panel_rows = spread(cut.split("test"), settings.panel_frames)
    gallery_rows = choose_gallery_rows(scored, settings.gallery_frames)
    summary: dict[str, object] = {"note": load_dataset(dataset).note}
    pairs, looking = pairs_of(cut, settings.video_pairs), read_perception(perception, device)
    for spectrum in BASELINES:
        write_flicker(
            folder / truth_name(spectrum), pairs, partial(truth_of, cut, spectrum=spectrum)
        )
        rows = score_baselines(
            cut, cut.split("train"), scored, spectrum=spectrum, perception=looking
        )
        for name, found, predict in rows:
            write_outputs(folder / name, found)
            write_panel(folder / name, predict(panel_rows).permute(0, 2, 3, 1).numpy())
            kept = with_extremes(gallery_rows, scored, found.scores)
            images = predict(kept).permute(0, 2, 3, 1).numpy()
            keep_gallery(folder / name / FILE, found.scores, list(kept["frame"]), images)
            write_flicker(folder / name, pairs, predict)
            summary[name] = by_split(found)
    write_json(metrics, summary)


def write_flicker(folder: Path, pairs: Pairs, predict: Predictor) -> None:
    """Write how what is predicted, or true, flickers."""
    write_csv(folder / "flicker.csv", score_flicker(pairs, predict))
