"""Judge one translator: score every held-out picture, keep a panel, measure the cost."""

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
from thermochroma.evaluation.flicker import judge_flicker, pairs_of
from thermochroma.evaluation.gallery import (
    FILE,
    SPLIT,
    choose_gallery_rows,
    keep_gallery,
    with_extremes,
)
from thermochroma.evaluation.outputs import by_split, leave
from thermochroma.evaluation.perceptual import Judged, Perception, judge_pictures, read_perception
from thermochroma.evaluation.policies import policies_of
from thermochroma.evaluation.scoring import judged_rows
from thermochroma.evaluation.snapshots import CURVE, judge_snapshot, of_the_end
from thermochroma.evaluation.summary import mean_of_distances, mean_of_draws
from thermochroma.export.artifact import load_translator, method_of, snapshots_in
from thermochroma.inference.predictions import Painted, paint, spread
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
    network, label = load_translator(translator)
    network.to(device)
    sees, how, title = method_of(label).sees, settings.evaluate[dataset], f"{dataset}-{method}"
    rows = judged_rows(cut, how.frames_per_sequence)
    panel_rows, pairs = spread(cut.split("test"), how.panel_frames), pairs_of(cut, how.video_pairs)
    shown = pd.concat([rows, panel_rows, pairs.before, pairs.after])
    gallery_rows = choose_gallery_rows(rows, how.gallery_frames)
    beside = own(sees, cut, shown.drop_duplicates("frame"), read_text(sees, text))
    looking = read_perception(perception, device)
    judge = Judge(network, method_of(label), cut, beside, how, device, looking)
    again = pd.concat([panel_rows, gallery_rows, pairs.before, pairs.after])["frame"]
    judged = judge.judge(rows, title=f"evaluate {title}", keep=frozenset(again))
    panel = judge.paint_all(panel_rows)
    leave(folder, judged)
    video = judge_flicker(pairs, judge.paint_all)
    with whole_file(folder / "flicker.csv") as part:
        video.to_csv(part, index=False)
    with whole_file(folder / "panel.npy") as part, part.open("wb") as stream:
        np.save(stream, panel.permute(0, 2, 3, 1).numpy())
    judge.keep_gallery(
        folder / FILE, judged.scores, with_extremes(gallery_rows, rows, judged.scores)
    )
    curve = judge_snapshots(
        judge, snapshots_in(snapshots), rows[rows["split"] == SPLIT], title=title
    )
    leave_curve(folder / CURVE, curve, judged.scores, images=label.images)
    write_text(folder / "cost.json", json.dumps(judge.cost(rows), indent=2) + "\n")
    told: dict[str, Any] = {**by_split(judged), "note": load_source(dataset).note}
    if video["flicker"].notna().any():
        told["flicker"] = float(video["flicker"].mean())
    leave_records(folder, [beside])
    if others := policies_of(label):
        below = folder / "policies"
        told["policies"] = judge_other_policies(
            judge, others, rows, gallery_rows, below, title=title
        )
    write_text(metrics, json.dumps(told, indent=2) + "\n")


@dataclass(frozen=True, eq=False)
class Judge:
    """A translator with the pictures that it is judged on."""

    translator: Translator[Any]
    method: Method
    crops: Crops
    beside: Beside
    settings: EvaluateSettings
    device: torch.device
    perception: Perception | None
    kept: dict[str, torch.Tensor] = field(default_factory=dict, init=False)
    """What was painted of frames that are asked for again, by frame."""

    def under(self, beside: Beside) -> "Judge":
        """The same, shown other references or sentences."""
        return replace(self, beside=beside)

    def of(self, translator: Translator[Any]) -> "Judge":
        """The same pictures, shown the same beside them, for other weights."""
        return replace(self, translator=translator.to(self.device))

    def judge_snapshot(self, rows: pd.DataFrame, *, images: int | None) -> pd.DataFrame:
        """The few scores of the curves, one row a picture."""
        spectrum = self.method.direction.painted
        return judge_snapshot(self.crops, self._paint(rows), images=images, spectrum=spectrum)

    def judge(
        self, rows: pd.DataFrame, *, title: str, keep: frozenset[str] = frozenset()
    ) -> Judged:
        """Judge every row. keep: frames that `paint_all` will be asked for."""
        painted = self._paint_and_keep(rows, title, keep)
        spectrum = self.method.direction.painted
        return judge_pictures(self.crops, painted, spectrum=spectrum, perception=self.perception)

    def paint_all(self, rows: pd.DataFrame) -> torch.Tensor:
        """The translations of the rows, 8 bits; each frame is painted once."""
        for some, painted in self._paint(rows[~rows["frame"].isin(self.kept.keys())]):
            self._keep(some, painted)
        return torch.stack([self.kept[frame] for frame in rows["frame"]])

    def keep_gallery(self, path: Path, scores: pd.DataFrame, gallery_rows: pd.DataFrame) -> None:
        """Write the pictures of some frames. scores: of what this judge painted."""
        pictures = self.paint_all(gallery_rows).permute(0, 2, 3, 1).numpy()
        keep_gallery(path, scores, list(gallery_rows["frame"]), pictures)

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
            lambda: list(self._paint(one)), rounds=self.settings.timing_rounds, device=self.device
        )
        return {
            "parameters": parameters(self.translator.requires_grad_(True)),
            "multiply_adds": multiply_adds(self.translator, seen),
            **timed,
            "device": device_name(self.device),
        }

    def _paint_and_keep(
        self, rows: pd.DataFrame, title: str, keep: frozenset[str]
    ) -> Iterator[tuple[pd.DataFrame, Painted]]:
        with tqdm(total=len(rows), desc=title, unit="picture") as bar:
            for some, painted in self._paint(rows):
                wanted = some["frame"].isin(keep)
                self._keep(some[wanted], painted[torch.tensor(wanted.to_list())])
                yield some, painted
                bar.update(len(some))

    def _keep(self, rows: pd.DataFrame, painted: torch.Tensor) -> None:
        self.kept.update(zip(rows["frame"], painted, strict=True))

    def _paint(self, rows: pd.DataFrame) -> Any:
        return paint(
            self.translator,
            self.crops,
            rows,
            sees=self.method.sees,
            text=self.beside.text,
            batch_size=self.settings.batch_size,
            device=self.device,
            references=self.beside.references,
        )


def judge_snapshots(
    judge: Judge, files: list[Path], rows: pd.DataFrame, *, title: str
) -> list[pd.DataFrame]:
    """The scores of what each snapshot paints of these rows."""
    curve = []
    with tqdm(files, desc=f"{title}, snapshots", unit="snapshot") as bar:
        for file in bar:
            network, label = load_translator(file)
            curve.append(judge.of(network).judge_snapshot(rows, images=label.images))
    return curve


def leave_curve(
    path: Path, curve: list[pd.DataFrame], scores: pd.DataFrame, *, images: int | None
) -> None:
    """Write the scores of the snapshots, and behind them those of what shipped, on the test pictures."""
    end = of_the_end(scores[scores["split"] == SPLIT], images=images)
    with whole_file(path) as part:
        pd.concat([*curve, end], ignore_index=True).to_csv(part, index=False)


def judge_other_policies(
    judge: Judge,
    policies: Mapping[str, OtherPolicy],
    rows: pd.DataFrame,
    gallery_rows: pd.DataFrame,
    folder: Path,
    *,
    title: str,
) -> dict[str, dict[str, dict[str, float]]]:
    """Judge what is painted with other references or sentences; one folder a policy. The means, by policy.

    gallery_rows: the frames of the gallery, whose pictures are kept of the first draw.
    """
    summary, keep = {}, frozenset(gallery_rows["frame"])
    for name, other in policies.items():
        drawn = [draw(judge.beside, judge.crops, rows) for draw in other.draws]
        judges, told = [judge.under(one) for one in drawn], f"{title}, {other.title}"
        each = [
            one.judge(rows, title=told, keep=keep if one is judges[0] else frozenset())
            for one in judges
        ]
        first = each[0].scores
        judges[0].keep_gallery(
            folder / name / FILE, first, with_extremes(gallery_rows, rows, first)
        )
        mean = Judged(
            mean_of_draws([one.scores for one in each]),
            mean_of_distances([one.distances for one in each]),
        )
        leave(folder / name, mean)
        leave_records(folder / name, drawn)
        summary[name] = by_split(mean)
    return summary


def leave_records(folder: Path, drawn: Sequence[Beside]) -> None:
    """Write whose references or sentences the frames were given, draw after draw."""
    for name in drawn[0].records:
        with whole_file(folder / name) as part:
            pd.concat([one.records[name] for one in drawn]).to_csv(part, index=False)
