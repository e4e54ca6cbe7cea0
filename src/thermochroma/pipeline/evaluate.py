"""Score one translator: score every held-out image, keep a panel, measure the cost."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from tqdm import tqdm

from thermochroma.base.device import choose_device, device_name
from thermochroma.base.files import whole_file, write_text
from thermochroma.config.params import EvaluateSettings, read_params
from thermochroma.contract.dataset import load_source
from thermochroma.contract.method import Method, Translator
from thermochroma.evaluation.cost import latency, multiply_adds, parameters
from thermochroma.evaluation.flicker import pairs_of, score_flicker
from thermochroma.evaluation.gallery import (
    FILE,
    SPLIT,
    choose_gallery_rows,
    keep_gallery,
    with_extremes,
)
from thermochroma.evaluation.outputs import by_split, write_outputs
from thermochroma.evaluation.perceptual import (
    Evaluation,
    Perception,
    evaluate_images,
    read_perception,
)
from thermochroma.evaluation.policies import policies_of
from thermochroma.evaluation.scoring import scored_rows
from thermochroma.evaluation.snapshots import CURVE, of_the_end, score_snapshot
from thermochroma.evaluation.summary import mean_of_distances, mean_of_draws
from thermochroma.export.artifact import load_translator, method_of, snapshots_in
from thermochroma.inference.predictions import Predicted, predict, spread
from thermochroma.loading.collate import read_text
from thermochroma.loading.crops import Crops
from thermochroma.loading.inference_batches import seen_batches
from thermochroma.loading.policies import Beside, OtherPolicy, own


def evaluate(
    dataset: str,
    method: str,
    params: Path,
    crops: Path,
    text: Path,
    translator: Path,
    snapshots: Path,
    perception: Path,
    folder: Path,
    metrics: Path,
) -> None:
    """Neither critic nor VGG is built. The stage `track` tells MLflow, in one go for all methods."""
    settings, cut, device = read_params(params), Crops(crops), choose_device()
    network, metadata = load_translator(translator)
    network.to(device)
    sees, how, title = method_of(metadata).sees, settings.evaluate[dataset], f"{dataset}-{method}"
    rows = scored_rows(cut, how.frames_per_sequence)
    panel_rows, pairs = spread(cut.split("test"), how.panel_frames), pairs_of(cut, how.video_pairs)
    shown = pd.concat([rows, panel_rows, pairs.before, pairs.after])
    gallery_rows = choose_gallery_rows(rows, how.gallery_frames)
    beside = own(sees, cut, shown.drop_duplicates("frame"), read_text(sees, text))
    looking = read_perception(perception, device)
    evaluator = Evaluator(network, method_of(metadata), cut, beside, how, device, looking)
    again = pd.concat([panel_rows, gallery_rows, pairs.before, pairs.after])["frame"]
    scored = evaluator.score(rows, title=f"evaluate {title}", keep=frozenset(again))
    panel = evaluator.predict_all(panel_rows)
    write_outputs(folder, scored)
    video = score_flicker(pairs, evaluator.predict_all)
    with whole_file(folder / "flicker.csv") as part:
        video.to_csv(part, index=False)
    with whole_file(folder / "panel.npy") as part, part.open("wb") as stream:
        np.save(stream, panel.permute(0, 2, 3, 1).numpy())
    evaluator.keep_gallery(
        folder / FILE, scored.scores, with_extremes(gallery_rows, rows, scored.scores)
    )
    curve = score_snapshots(
        evaluator, snapshots_in(snapshots), rows[rows["split"] == SPLIT], title=title
    )
    write_curve(folder / CURVE, curve, scored.scores, images=metadata.images)
    write_text(folder / "cost.json", json.dumps(evaluator.cost(rows), indent=2) + "\n")
    told: dict[str, Any] = {**by_split(scored), "note": load_source(dataset).note}
    if video["flicker"].notna().any():
        told["flicker"] = float(video["flicker"].mean())
    write_records(folder, [beside])
    if others := policies_of(metadata):
        below = folder / "policies"
        told["policies"] = score_other_policies(
            evaluator, others, rows, gallery_rows, below, title=title
        )
    write_text(metrics, json.dumps(told, indent=2) + "\n")


@dataclass(frozen=True, eq=False)
class Evaluator:
    """A translator with the images that it is scored on."""

    translator: Translator[Any]
    method: Method
    crops: Crops
    beside: Beside
    settings: EvaluateSettings
    device: torch.device
    perception: Perception | None
    kept: dict[str, torch.Tensor] = field(default_factory=dict, init=False)
    """What was predicted of frames that are asked for again, by frame."""

    def under(self, beside: Beside) -> "Evaluator":
        """The same, shown other references or sentences."""
        return replace(self, beside=beside)

    def of(self, translator: Translator[Any]) -> "Evaluator":
        """The same images, shown the same beside them, for other weights."""
        return replace(self, translator=translator.to(self.device))

    def score_snapshot(self, rows: pd.DataFrame, *, images: int | None) -> pd.DataFrame:
        """The few scores of the curves, one row an image."""
        spectrum = self.method.direction.predicted
        return score_snapshot(self.crops, self._predict(rows), images=images, spectrum=spectrum)

    def score(
        self, rows: pd.DataFrame, *, title: str, keep: frozenset[str] = frozenset()
    ) -> Evaluation:
        """Score every row. keep: frames that `predict_all` will be asked for."""
        prediction = self._predict_and_keep(rows, title, keep)
        spectrum = self.method.direction.predicted
        return evaluate_images(
            self.crops, prediction, spectrum=spectrum, perception=self.perception
        )

    def predict_all(self, rows: pd.DataFrame) -> torch.Tensor:
        """The translations of the rows, 8 bits; each frame is predicted once."""
        for some, prediction in self._predict(rows[~rows["frame"].isin(self.kept.keys())]):
            self._keep(some, prediction)
        return torch.stack([self.kept[frame] for frame in rows["frame"]])

    def keep_gallery(self, path: Path, scores: pd.DataFrame, gallery_rows: pd.DataFrame) -> None:
        """Write the images of some frames. scores: of what this score predicted."""
        images = self.predict_all(gallery_rows).permute(0, 2, 3, 1).numpy()
        keep_gallery(path, scores, list(gallery_rows["frame"]), images)

    def cost(self, rows: pd.DataFrame) -> dict[str, Any]:
        """Size, work and time of the translator at the crop's size, batch 1."""
        one = rows.iloc[:1]
        ((_, seen),) = seen_batches(
            self.crops,
            one,
            sees=self.method.sees,
            text=self.beside.text,
            batch_size=1,
            device=self.device,
            references=self.beside.references,
        )
        timed = latency(
            lambda: list(self._predict(one)), rounds=self.settings.timing_rounds, device=self.device
        )
        return {
            "parameters": parameters(self.translator.requires_grad_(True)),
            "multiply_adds": multiply_adds(self.translator, seen),
            **timed,
            "device": device_name(self.device),
        }

    def _predict_and_keep(
        self, rows: pd.DataFrame, title: str, keep: frozenset[str]
    ) -> Iterator[tuple[pd.DataFrame, Predicted]]:
        with tqdm(total=len(rows), desc=title, unit="image") as bar:
            for some, prediction in self._predict(rows):
                wanted = some["frame"].isin(keep)
                self._keep(some[wanted], prediction[torch.tensor(wanted.to_list())])
                yield some, prediction
                bar.update(len(some))

    def _keep(self, rows: pd.DataFrame, prediction: torch.Tensor) -> None:
        self.kept.update(zip(rows["frame"], prediction, strict=True))

    def _predict(self, rows: pd.DataFrame) -> Any:
        return predict(
            self.translator,
            self.crops,
            rows,
            sees=self.method.sees,
            text=self.beside.text,
            batch_size=self.settings.batch_size,
            device=self.device,
            references=self.beside.references,
        )


def score_snapshots(
    evaluator: Evaluator, files: list[Path], rows: pd.DataFrame, *, title: str
) -> list[pd.DataFrame]:
    """The scores of what each snapshot predicts of these rows."""
    curve = []
    with tqdm(files, desc=f"{title}, snapshots", unit="snapshot") as bar:
        for file in bar:
            network, metadata = load_translator(file)
            curve.append(evaluator.of(network).score_snapshot(rows, images=metadata.images))
    return curve


def write_curve(
    path: Path, curve: list[pd.DataFrame], scores: pd.DataFrame, *, images: int | None
) -> None:
    """Write the scores of the snapshots, and behind them those of what shipped, on the test images."""
    end = of_the_end(scores[scores["split"] == SPLIT], images=images)
    with whole_file(path) as part:
        pd.concat([*curve, end], ignore_index=True).to_csv(part, index=False)


def score_other_policies(
    evaluator: Evaluator,
    policies: Mapping[str, OtherPolicy],
    rows: pd.DataFrame,
    gallery_rows: pd.DataFrame,
    folder: Path,
    *,
    title: str,
) -> dict[str, dict[str, dict[str, float]]]:
    """Score predictions with other references or sentences, one folder a policy. Returns means by policy.

    gallery_rows: the frames of the gallery, whose images are kept of the first draw.
    """
    summary, keep = {}, frozenset(gallery_rows["frame"])
    for name, other in policies.items():
        drawn = [draw(evaluator.beside, evaluator.crops, rows) for draw in other.draws]
        scores, told = [evaluator.under(one) for one in drawn], f"{title}, {other.title}"
        each = [
            one.score(rows, title=told, keep=keep if one is scores[0] else frozenset())
            for one in scores
        ]
        first = each[0].scores
        scores[0].keep_gallery(
            folder / name / FILE, first, with_extremes(gallery_rows, rows, first)
        )
        mean = Evaluation(
            mean_of_draws([one.scores for one in each]),
            mean_of_distances([one.distances for one in each]),
        )
        write_outputs(folder / name, mean)
        write_records(folder / name, drawn)
        summary[name] = by_split(mean)
    return summary


def write_records(folder: Path, drawn: Sequence[Beside]) -> None:
    """Write whose references or sentences the frames were given, draw after draw."""
    for name in drawn[0].records:
        with whole_file(folder / name) as part:
            pd.concat([one.records[name] for one in drawn]).to_csv(part, index=False)
