"""Evaluation of a row: every score of every image, and with published weights LPIPS, FID and KID.

The features that distances are taken of are kept, never the images: at most 16 KB per image.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeAlias

import numpy as np
import pandas as pd
import torch
from jaxtyping import Float
from safetensors.torch import load_file

from thermochroma.base.reading import reading
from thermochroma.base.splits import SCORED_SPLITS
from thermochroma.evaluation.scoring import score_rows
from thermochroma.inference.predictions import Predicted, truth_of
from thermochroma.loading.crops import Crops
from thermochroma.metrics.distribution import (
    FILE,
    LEAST,
    LEAST_IN_SUBSETS,
    InceptionFeatures,
    fid,
    kid,
    kid_over_subsets,
    resize,
)
from thermochroma.metrics.perceptual import LPIPS_TRUNKS, VGG16_TAPS, Lpips, Trunk
from thermochroma.networks.alexnet import AlexNetFeatures
from thermochroma.networks.efficientnet_lite import SIDE, load_efficientnet
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
"""Values of `fid`, `kid` and so on by split, without a split of fewer images than they need."""
FeatureMatrix: TypeAlias = Float[np.ndarray, "n d"]


@dataclass(frozen=True)
class Distance:
    """Distances by name, of the features of all predicted and all true images, and how many it needs."""

    least: int
    take: Callable[[FeatureMatrix, FeatureMatrix], Mapping[str, float]]


def _of_inception(prediction: FeatureMatrix, truth: FeatureMatrix) -> dict[str, float]:
    return {"fid": fid(prediction, truth), "kid": kid(prediction, truth)}


def _of_efficientnet(prediction: FeatureMatrix, truth: FeatureMatrix) -> dict[str, float]:
    mean, spread = kid_over_subsets(prediction, truth)
    return {"kid_lite": mean, "kid_lite_sd": spread}


DISTANCES: Final = {
    "inception": Distance(LEAST, _of_inception),
    "efficientnet_lite0": Distance(LEAST_IN_SUBSETS, _of_efficientnet),
}
"""Distances that are taken of each network's features."""


class EfficientNetFeatures:
    """The 1,280 numbers that EfficientNet-Lite0 pools from each image."""

    def __init__(self, folder: Path, device: torch.device) -> None:
        """Read the network from `folder`. Raises BadInput if it is missing or damaged."""
        self.network, self.device = load_efficientnet(folder).to(device), device

    @torch.no_grad()
    def __call__(self, images: Predicted) -> FeatureMatrix:
        """Features of 8-bit images: sRGB, or thermal ones as grey."""
        resized = np.stack([resize(image, SIDE) for image in images.cpu().numpy()])
        levels = torch.from_numpy(resized).expand(-1, 3, -1, -1).to(self.device)
        maps = self.network(levels / 127.5 - 1)
        return self.network.pooled(maps[-1]).cpu().double().numpy()


class Perception:
    """Networks with published weights that LPIPS, FID and KID use, on one device; any may be missing."""

    def __init__(
        self,
        lpips: Mapping[str, Lpips],
        features: Mapping[str, Callable[[Predicted], FeatureMatrix]],
        device: torch.device,
    ) -> None:
        """Keep them. lpips: by the score's name in the tables. features: by their names in `DISTANCES`."""
        self._lpips, self.features, self.device = lpips, features, device

    def lpips(self, prediction: Predicted, truth: Predicted) -> dict[str, Float[np.ndarray, " b"]]:
        """LPIPS distances of each prediction from its truth, by the score's name."""
        pair = prediction.to(self.device), truth.to(self.device)
        return {name: distance(*pair).numpy() for name, distance in self._lpips.items()}


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
    features: dict[str, Callable[[Predicted], FeatureMatrix]] = {}
    if kind_of(inception := folder / "inception") == "published":
        refuse_changed_weights(inception)
        features["inception"] = InceptionFeatures(inception / FILE, device)
    if kind_of(efficientnet := folder / "efficientnet_lite0") == "published":
        features["efficientnet_lite0"] = EfficientNetFeatures(efficientnet, device)
    return Perception(lpips, features, device)


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
    rows: pd.DataFrame,
    batches: Iterable[tuple[pd.DataFrame, Predicted]],
    *,
    spectrum: str,
    perception: Perception,
) -> Evaluation:
    """Score predictions, batch by batch. rows: all that come. spectrum: the one that is predicted."""
    parts: list[pd.DataFrame] = []
    seen = _Seen(perception.features, Counter(rows["split"]))
    for some, prediction in batches:
        truth = truth_of(crops, some, spectrum=spectrum)
        scores = score_rows(crops, some, prediction, spectrum=spectrum)
        parts.append(scores.assign(**perception.lpips(prediction, truth)))
        seen.look(some["split"], prediction, truth)
    return Evaluation(pd.concat(parts, ignore_index=True), seen.distances())


class _Seen:
    """Features of the images of each split, of which there are enough for a distance."""

    def __init__(
        self,
        networks: Mapping[str, Callable[[Predicted], FeatureMatrix]],
        counts: Mapping[str, int],
    ) -> None:
        """Keep the networks. counts: of the images that will come, by split."""
        self._networks = networks
        self._splits = {
            name: [
                split for split in SCORED_SPLITS if counts.get(split, 0) >= DISTANCES[name].least
            ]
            for name in networks
        }
        self._pairs: dict[tuple[str, str], list[tuple[FeatureMatrix, FeatureMatrix]]]
        self._pairs = defaultdict(list)

    def look(self, splits: pd.Series, prediction: Predicted, truth: Predicted) -> None:
        """Keep the features of a batch. splits: of its images."""
        for name, network in self._networks.items():
            for split in self._splits[name]:
                some = torch.from_numpy((splits == split).to_numpy())
                if some.any():
                    pair = network(prediction[some]), network(truth[some])
                    self._pairs[split, name].append(pair)

    def distances(self) -> Distances:
        """Distances by split and name, of all that was seen."""
        found: dict[str, dict[str, float]] = {}
        for (split, name), pairs in self._pairs.items():
            both = (np.concatenate(each) for each in zip(*pairs, strict=True))
            found.setdefault(split, {}).update(DISTANCES[name].take(*both))
        return found
