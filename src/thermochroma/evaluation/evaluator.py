"""A translator with the images that it is scored on."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pandas as pd
import torch
from tqdm import tqdm

from thermochroma.base.device import device_name
from thermochroma.contract.method import Method, Translator
from thermochroma.evaluation.cost import latency, multiply_adds, parameters
from thermochroma.evaluation.gallery import (
    keep_gallery,
)
from thermochroma.evaluation.perceptual import (
    Evaluation,
    Perception,
    evaluate_images,
)
from thermochroma.evaluation.snapshots import score_snapshot
from thermochroma.inference.predictions import Predicted, predict
from thermochroma.loading.crops import Crops
from thermochroma.loading.inference_batches import seen_batches
from thermochroma.loading.policies import ExtraInputs


@dataclass(frozen=True, eq=False)
class Evaluator:
    """A translator with the images that it is scored on."""

    translator: Translator[Any]
    method: Method
    crops: Crops
    extra: ExtraInputs
    batch_size: int
    device: torch.device
    perception: Perception
    kept: dict[str, torch.Tensor] = field(default_factory=dict, init=False)
    """Predictions of frames that are asked for again, by frame."""

    def under(self, extra: ExtraInputs) -> "Evaluator":
        """Return an evaluator with other references or sentences."""
        return replace(self, extra=extra)

    def of(self, translator: Translator[Any]) -> "Evaluator":
        """Return an evaluator of the same images for other weights."""
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
            self.crops, rows, prediction, spectrum=spectrum, perception=self.perception
        )

    def predict_all(self, rows: pd.DataFrame) -> torch.Tensor:
        """Translations of the rows, 8 bits; each frame is translated once."""
        for some, prediction in self._predict(rows[~rows["frame"].isin(self.kept.keys())]):
            self._keep(some, prediction)
        return torch.stack([self.kept[frame] for frame in rows["frame"]])

    def keep_gallery(self, path: Path, scores: pd.DataFrame, gallery_rows: pd.DataFrame) -> None:
        """Write the predictions of some frames. scores: of these predictions."""
        images = self.predict_all(gallery_rows).permute(0, 2, 3, 1).numpy()
        keep_gallery(path, scores, list(gallery_rows["frame"]), images)

    def cost(self, rows: pd.DataFrame, *, rounds: int) -> dict[str, Any]:
        """Size, work and time of the translator at the crop's size, batch 1."""
        one = rows.iloc[:1]
        ((_, seen),) = seen_batches(
            self.crops,
            one,
            sees=self.method.sees,
            text=self.extra.text,
            batch_size=1,
            device=self.device,
            references=self.extra.references,
            sharpness=self.extra.sharpness,
        )
        timed = latency(lambda: list(self._predict(one)), rounds=rounds, device=self.device)
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
            text=self.extra.text,
            batch_size=self.batch_size,
            device=self.device,
            references=self.extra.references,
            sharpness=self.extra.sharpness,
        )
