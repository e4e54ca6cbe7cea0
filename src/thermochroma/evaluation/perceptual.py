"""Evaluation of a row: every score of every image, and with published weights LPIPS, FID and KID.

The features of Inception v3 are kept, never the images: 16 KB per image.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeAlias

import numpy as np
import pandas as pd
import torch
from jaxtyping import Float, Shaped
from safetensors.torch import load_file

from thermochroma.base.manifest import SCORED_SPLITS
from thermochroma.base.reading import reading
from thermochroma.evaluation.scoring import score_rows
from thermochroma.inference.predictions import Predicted, truth_of
from thermochroma.loading.crops import Crops
from thermochroma.metrics.distribution import FILE, LEAST, InceptionFeatures, fid, kid
from thermochroma.metrics.perceptual import LPIPS_TRUNKS, VGG16_TAPS, Lpips, Trunk
from thermochroma.networks.alexnet import AlexNetFeatures
from thermochroma.networks.frozen import (
    NEEDED,
    REMEDY,
    TENSORS,
    VggFeatures,
    kind_of,
    refuse_changed_weights,
    refuse_weights,
)

Distances: TypeAlias = Mapping[str, Mapping[str, float]]
"""Values of `fid` and `kid` by split, without a split of fewer images than they need."""
DISTANCES: Final = {"fid": fid, "kid": kid}


class Perception:
    """Networks with published weights that LPIPS, FID and KID use, on one device; any may be missing."""

    def __init__(
        self,
        lpips: Mapping[str, Lpips],
        inception: InceptionFeatures | None,
        device: torch.device,
    ) -> None:
        """Keep them. lpips: by the score's name in the tables."""
        self._lpips, self._inception, self.device = lpips, inception, device

    def lpips(self, prediction: Predicted, truth: Predicted) -> dict[str, Float[np.ndarray, " b"]]:
        """LPIPS distances of each prediction from its truth, by the score's name."""
        pair = prediction.to(self.device), truth.to(self.device)
        return {name: distance(*pair).numpy() for name, distance in self._lpips.items()}

    def features(self, images: Predicted) -> Float[np.ndarray, "b 2048"] | None:
        """Inception features of each image, from which FID and KID are computed; None without it."""
        return None if self._inception is None else self._inception(images)


@dataclass(frozen=True, eq=False)
class Evaluation:
    """Scores of one row of the table, one line per image, and its distances, empty without perception."""

    scores: pd.DataFrame
    distances: Distances


def read_perception(folder: Path, device: torch.device) -> Perception:
    """Read the networks that the stage `weights` wrote; stand-ins, which cannot score, are left out.

    Raises BadInput if a file is missing, damaged, or does not fit the others.
    """
    lpips: dict[str, Lpips] = {
        name: read_lpips(folder / name, trunk, device)
        for name, trunk in LPIPS_TRUNKS.items()
        if kind_of(folder / name) == "published"
    }
    inception = folder / "inception"
    if known := kind_of(inception) == "published":
        refuse_changed_weights(inception)
    return Perception(lpips, InceptionFeatures(inception / FILE, device) if known else None, device)


def read_lpips(folder: Path, trunk: Trunk, device: torch.device) -> Lpips:
    """Read one LPIPS score's networks. Raises BadInput if they are missing, damaged, or do not fit."""
    path = folder / TENSORS
    refuse_changed_weights(folder)
    with reading(path, needed=NEEDED, remedy=REMEDY):
        stored = load_file(path)
    linear = [stored.pop(name) for name in sorted(n for n in stored if n.startswith("lin"))]
    features = (
        AlexNetFeatures(stored)
        if trunk == "alexnet"
        else VggFeatures(stored, taps=VGG16_TAPS, imagenet_norm=True)
    )
    widths = [layer.shape[1] for layer in features(torch.zeros(1, 3, 64, 64))]
    if widths != [len(layer) for layer in linear]:
        refuse_weights(f"the layers in {path} have {widths} channels, its linear layers others")
    return Lpips(features.to(device), [layer.to(device) for layer in linear])


def evaluate_images(
    crops: Crops,
    batches: Iterable[tuple[pd.DataFrame, Predicted]],
    *,
    spectrum: str,
    perception: Perception,
) -> Evaluation:
    """Score predictions, batch by batch. spectrum: the one that is predicted."""
    parts: list[pd.DataFrame] = []
    seen: list[tuple[np.ndarray, np.ndarray]] = []
    for rows, prediction in batches:
        truth = truth_of(crops, rows, spectrum=spectrum)
        scores = score_rows(crops, rows, prediction, spectrum=spectrum)
        parts.append(scores.assign(**perception.lpips(prediction, truth)))
        features = perception.features(prediction), perception.features(truth)
        if features[0] is not None and features[1] is not None:
            seen.append((features[0], features[1]))
    whole = pd.concat(parts, ignore_index=True)
    if not seen:
        return Evaluation(whole, {})
    both = (np.concatenate(each) for each in zip(*seen, strict=True))
    return Evaluation(whole, _distances(whole["split"].to_numpy(str), *both))


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
