"""Evaluate one translator: score every held-out image, keep a panel, measure the cost."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
from tqdm import tqdm

from thermochroma.base.device import choose_device
from thermochroma.base.files import whole_file
from thermochroma.base.sealed import write_json
from thermochroma.base.tables import write_csv
from thermochroma.config.evaluation import EvaluateSettings
from thermochroma.evaluation.evaluator import Evaluator
from thermochroma.evaluation.flicker import pairs_of, score_flicker
from thermochroma.evaluation.gallery import (
    FILE,
    SPLIT,
    choose_gallery_rows,
    with_extremes,
)
from thermochroma.evaluation.outputs import by_split, write_outputs, write_panel
from thermochroma.evaluation.perceptual import (
    Evaluation,
    read_perception,
)
from thermochroma.evaluation.policies import policies_of
from thermochroma.evaluation.scoring import scored_rows
from thermochroma.evaluation.snapshots import CURVE, of_the_end
from thermochroma.evaluation.summary import mean_of_distances, mean_of_draws
from thermochroma.export.artifact import load_translator, method_of, snapshots_in
from thermochroma.inference.predictions import spread
from thermochroma.loading.collate import read_text
from thermochroma.loading.crops import Crops
from thermochroma.loading.policies import ExtraInputs, OtherPolicy, own
from thermochroma.pipeline.experiment import tell_experiment


def evaluate(
    dataset: str,
    settings: EvaluateSettings,
    *,
    note: str,
    crops: Path,
    text: Path,
    translator: Path,
    snapshots: Path,
    perception: Path,
    folder: Path,
    metrics: Path,
) -> None:
    """Score every held-out image of one translator, keep a panel, measure the cost.

    Neither critic nor VGG is built. The stage `track` tells MLflow, in one go for all methods; only of an
    experiment, which may end here, is it told at once.
    """
    cut, device = Crops(crops), choose_device()
    network, metadata = load_translator(translator)
    network.to(device)
    sees, title = method_of(metadata).sees, f"{dataset}-{metadata.name}"
    rows = scored_rows(cut, settings.frames_per_sequence)
    panel_rows = spread(cut.split("test"), settings.panel_frames)
    pairs = pairs_of(cut, settings.video_pairs)
    shown = pd.concat([rows, panel_rows, pairs.before, pairs.after])
    gallery_rows = choose_gallery_rows(rows, settings.gallery_frames)
    extra = own(sees, cut, shown.drop_duplicates("frame"), read_text(sees, text))
    looking = read_perception(perception, device)
    evaluator = Evaluator(
        network, method_of(metadata), cut, extra, settings.batch_size, device, looking
    )
    again = pd.concat([panel_rows, gallery_rows, pairs.before, pairs.after])["frame"]
    scored = evaluator.score(rows, title=f"evaluate {title}", keep=frozenset(again))
    panel = evaluator.predict_all(panel_rows)
    write_outputs(folder, scored)
    video = score_flicker(pairs, evaluator.predict_all)
    write_csv(folder / "flicker.csv", video)
    write_panel(folder, panel.permute(0, 2, 3, 1).numpy())
    evaluator.keep_gallery(
        folder / FILE, scored.scores, with_extremes(gallery_rows, rows, scored.scores)
    )
    curve = score_snapshots(
        evaluator, snapshots_in(snapshots), rows[rows["split"] == SPLIT], title=title
    )
    write_curve(folder / CURVE, curve, scored.scores, images=metadata.images)
    cost = evaluator.cost(rows, rounds=settings.timing_rounds)
    write_json(folder / "cost.json", cost)
    summary: dict[str, Any] = {**by_split(scored), "note": note}
    if video["flicker"].notna().any():
        summary["flicker"] = float(video["flicker"].mean())
    write_records(folder, [extra])
    if others := policies_of(metadata):
        below = folder / "policies"
        summary["policies"] = score_other_policies(
            evaluator, others, rows, gallery_rows, below, title=title
        )
    write_json(metrics, summary)
    tell_experiment(dataset, metadata.name, translator, by_split(scored))


def score_snapshots(
    evaluator: Evaluator, files: list[Path], rows: pd.DataFrame, *, title: str
) -> list[pd.DataFrame]:
    """Score each snapshot's predictions of these rows."""
    curve = []
    with tqdm(files, desc=f"{title}, snapshots", unit="snapshot") as bar:
        for file in bar:
            network, metadata = load_translator(file)
            curve.append(evaluator.of(network).score_snapshot(rows, images=metadata.images))
    return curve


def write_curve(
    path: Path, curve: list[pd.DataFrame], scores: pd.DataFrame, *, images: int | None
) -> None:
    """Write the scores of the snapshots, then those of the deployed translator, on the test images."""
    end = of_the_end(scores[scores["split"] == SPLIT], images=images)
    write_csv(path, pd.concat([*curve, end], ignore_index=True))


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
        drawn = [draw(evaluator.extra, evaluator.crops, rows) for draw in other.draws]
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


def write_records(folder: Path, drawn: Sequence[ExtraInputs]) -> None:
    """Write whose references or sentences the frames were given, draw after draw."""
    for name in drawn[0].records:
        with whole_file(folder / name) as part:
            pd.concat([one.records[name] for one in drawn]).to_csv(part, index=False)
