"""Evaluation of a row: every score of every image, and with published weights LPIPS, FID and KID.

The features of Inception v3 are kept, never the images: 16 KB per image.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeAlias

import numpy as np
import pandas as pd
import torch
from jaxtyping import Float, Shaped

from thermochroma.base.errors import BadInput
from thermochroma.base.manifest import SCORED_SPLITS
from thermochroma.base.reading import reading
from thermochroma.evaluation.scoring import score_rows
from thermochroma.inference.predictions import Predicted, truth_of
from thermochroma.loading.crops import Crops
from thermochroma.metrics.distribution import LEAST, InceptionFeatures, fid, kid
from thermochroma.metrics.perceptual import FILES, VGG16_TAPS, Lpips, read_linear
from thermochroma.networks.frozen import load_vgg

Distances: TypeAlias = Mapping[str, Mapping[str, float]]
"""Values of `fid` and `kid` by split, without a split of fewer images than they need."""
DISTANCES: Final = {"fid": fid, "kid": kid}
NEEDED: Final = "the files that the stage `weights` writes"
REMEDY: Final = "run `dvc repro -f weights`"


class Perception:
    """Networks with published weights that LPIPS, FID and KID use, on one device."""

    def __init__(self, lpips: Lpips, inception: InceptionFeatures, device: torch.device) -> None:
        self._lpips, self._inception, self.device = lpips, inception, device

    def lpips(self, prediction: Predicted, truth: Predicted) -> Float[np.ndarray, " b"]:
        """LPIPS distance of each prediction from its truth."""
        return self._lpips(prediction.to(self.device), truth.to(self.device)).numpy()

    def features(self, images: Predicted) -> Float[np.ndarray, "b 2048"]:
        """Inception features of each image, from which FID and KID are computed."""
        return self._inception(images)


@dataclass(frozen=True, eq=False)
class Evaluation:
    """Scores of one row of the table, one line per image, and its distances, empty without perception."""

    scores: pd.DataFrame
    distances: Distances


def read_perception(folder: Path, device: torch.device) -> Perception | None:
    """Read the networks that the stage `weights` wrote; None if they are stand-ins, which cannot score.

    Raises BadInput if a file is missing, damaged, or does not fit the others.
    """
    if _kind_of(folder) != "pretrained":
        return None
    vgg16, lpips, inception = (folder / name for name in FILES)
    features, linear = load_vgg(vgg16, taps=VGG16_TAPS, imagenet_norm=True), read_linear(lpips)
    widths = [layer.shape[1] for layer in features(torch.zeros(1, 3, 32, 32))]
    if widths != [len(layer) for layer in linear]:
        given = f"the layers in {vgg16} have {widths} channels, those in {lpips} others"
        raise BadInput(given=given, needed=NEEDED, remedy=REMEDY)
    fitted = [layer.to(device) for layer in linear]
    return Perception(
        Lpips(features.to(device), fitted), InceptionFeatures(inception, device), device
    )


def evaluate_images(
    crops: Crops,
    batches: Iterable[tuple[pd.DataFrame, Predicted]],
    *,
    spectrum: str,
    perception: Perception | None,
) -> Evaluation:
    """Score predictions, batch by batch. spectrum: the one that is predicted."""
    parts: list[pd.DataFrame] = []
    seen: list[tuple[np.ndarray, np.ndarray]] = []
    for rows, prediction in batches:
        scores = score_rows(crops, rows, prediction, spectrum=spectrum)
        if perception is not None:
            truth = truth_of(crops, rows, spectrum=spectrum)
            scores = scores.assign(lpips=perception.lpips(prediction, truth))
            seen.append((perception.features(prediction), perception.features(truth)))
        parts.append(scores)
    whole = pd.concat(parts, ignore_index=True)
    if perception is None:
        return Evaluation(whole, {})
    features = (np.concatenate(each) for each in zip(*seen, strict=True))
    return Evaluation(whole, _distances(whole["split"].to_numpy(str), *features))


def _distances(
    splits: Shaped[np.ndarray, " n"],
    prediction: Float[np.ndarray, "n d"],
    truth: Float[np.ndarray, "n d"],
) -> Distances:
    of_split = {split: splits == split for split in SCORED_SPLITS}
    return {
        split: {name: score(prediction[some], truth[some]) for name, score in DISTANCES.items()}
        for split, some in of_split.items()
        if some.sum() >= LEAST
    }


def _kind_of(folder: Path) -> str:
    path = folder / "origin.json"
    with reading(path, needed=NEEDED, remedy=REMEDY):
        return str(json.loads(path.read_text(encoding="utf-8"))["kind"])
