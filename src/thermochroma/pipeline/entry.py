"""Score predictions from outside, exactly as methods are scored."""

from pathlib import Path

from thermochroma.base.device import choose_device
from thermochroma.base.frame_files import file_names
from thermochroma.base.sealed import write_json
from thermochroma.config.evaluation import EvaluateSettings
from thermochroma.config.outside import OutsideEntry
from thermochroma.evaluation.gallery import SPLIT
from thermochroma.evaluation.outputs import by_split
from thermochroma.evaluation.outside import OutsidePredictions, in_batches
from thermochroma.evaluation.perceptual import evaluate_images, read_perception
from thermochroma.loading.crops import Crops
from thermochroma.pipeline.predicted_row import frames_of, write_row
from thermochroma.pipeline.stored import PREDICTIONS


def evaluate_entry(
    entry: OutsideEntry,
    settings: EvaluateSettings,
    *,
    note: str,
    crops: Path,
    perception: Path,
    folder: Path,
    metrics: Path,
) -> None:
    """Write the files that `evaluate` writes for a method, for the test split alone.

    Raises BadInput if the folder holds other images than one fitting PNG for each test frame.
    """
    cut = Crops(crops)
    predict = predictions_in(entry.path, cut, split=SPLIT, spectrum=entry.predicts)
    frames, looking = frames_of(cut, settings), read_perception(perception, choose_device())
    test = frames.scored[frames.scored["split"] == SPLIT]
    batches = in_batches(test, predict, size=settings.batch_size, title=folder.name)
    found = evaluate_images(cut, test, batches, spectrum=entry.predicts, perception=looking)
    write_row(folder, found, predict, frames)
    write_json(metrics, {**by_split(found), PREDICTIONS: predict.digest(), "note": note})


def predictions_in(folder: Path, crops: Crops, *, split: str, spectrum: str) -> OutsidePredictions:
    """Predictions for all frames of one split. Raises BadInput unless there is one fitting PNG for each."""
    rows = crops.split(split)
    height, width = crops.image(spectrum, rows.iloc[0]).shape[:2]
    found = OutsidePredictions(folder, file_names(rows["frame"]), spectrum, (width, height))
    found.refuse_misfits()
    return found
