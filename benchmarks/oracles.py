"""Trivial and oracle rows on RoadScene beside the values that were measured before this code existed.

Whole pairs are resized to 256x256 by area means; nothing is registered, cropped or trained. The mean
image and the nearest neighbour leave out the very pair that they predict.

    python -m benchmarks.oracles --pairs <RoadScene in its authors' layout>
"""

import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import cv2
import numpy as np
import torch
from jaxtyping import UInt8
from torch import Tensor

from stages.command import run
from thermochroma.base.colour_space import visible_of
from thermochroma.base.images import read_thermal, read_visible
from thermochroma.base.tensors import to_bytes
from thermochroma.baselines import oracles, trivial
from thermochroma.baselines.trivial import TrainingImages, TrivialPredictor
from thermochroma.data.datasets.roadscene import DATASET, RoadSceneSettings
from thermochroma.metrics.colour import lab
from thermochroma.metrics.fidelity import psnr, ssim, ssim_7u

SIDE: Final = 256
Fit = Callable[[TrainingImages], TrivialPredictor]


@dataclass(frozen=True)
class Pairs:
    """Every pair at one size: thermal (n, h, w) and visible (n, h, w, 3) images."""

    thermal: UInt8[np.ndarray, "n h w"]
    visible: UInt8[np.ndarray, "n h w 3"]

    def __len__(self) -> int:
        return len(self.thermal)

    def one(self, row: int) -> tuple[Tensor, Tensor]:
        """Thermal (1, 1, h, w) and visible (1, 3, h, w)."""
        visible = torch.from_numpy(self.visible[row]).permute(2, 0, 1)[None].contiguous()
        return torch.from_numpy(self.thermal[row])[None, None], visible

    def but(self, left_out: int | None) -> TrainingImages:
        """All pairs but one, or all."""
        rows = [row for row in range(len(self)) if row != left_out]
        return TrainingImages(
            greys=lambda: (self.thermal[row : row + 1] for row in rows),
            targets=lambda: (self.visible[row : row + 1] for row in rows),
            target=lambda place: self.visible[rows[place]],
            channels=3,
        )


@dataclass(frozen=True)
class Row:
    """Something predicted for every pair, and what was measured before: PSNR, SSIM 7x7, SSIM."""

    title: str
    predict: Callable[[Pairs], Iterator[Tensor]]
    known: tuple[float | None, float | None, float | None]


def main(pairs: Path) -> None:
    """Prints a Markdown table: measured before, and here."""
    torch.set_num_threads(1)
    read = read_pairs(pairs)
    sys.stdout.write(
        f"{len(read)} pairs at {SIDE}x{SIDE}\n\n"
        "| Row | PSNR, before | here | SSIM 7×7, before | here | SSIM, before | here |\n"
        "|:--|--:|--:|--:|--:|--:|--:|\n"
    )
    for row in ROWS:
        found = mean_scores(row, read)
        cells = [
            f"{'' if known is None else format(known, f'.{digits}f')} | {value:.{digits}f}"
            for known, value, digits in zip(row.known, found, (1, 3, 3), strict=True)
        ]
        sys.stdout.write(f"| {row.title} | {' | '.join(cells)} |\n")
        sys.stdout.flush()


def read_pairs(folder: Path) -> Pairs:
    """Every pair, resized. Raises BadInput for an image that is missing or cannot be read."""
    frames = DATASET.frames(RoadSceneSettings(source=None, on_defect="refuse"), folder)
    thermal = [_resized(read_thermal(folder / frame.thermal)) for frame in frames]
    visible = [_resized(read_visible(folder / frame.visible)) for frame in frames]
    return Pairs(np.stack(thermal), np.stack(visible))


def mean_scores(row: Row, pairs: Pairs) -> Sequence[float]:
    """PSNR, SSIM 7x7 and SSIM, means over images."""
    found = []
    for number, prediction in enumerate(row.predict(pairs)):
        _, truth = pairs.one(number)
        found.append([score(prediction, truth).item() for score in (psnr, ssim_7u, ssim)])
    means: list[float] = np.mean(found, axis=0).tolist()
    return means


def fitted(fit: Fit, *, leave_one_out: bool = False) -> Callable[[Pairs], Iterator[Tensor]]:
    """A trivial row, fitted once on all pairs, or for every pair on all others."""

    def predict(pairs: Pairs) -> Iterator[Tensor]:
        predictor = None if leave_one_out else fit(pairs.but(None))
        for row in range(len(pairs)):
            yield (predictor or fit(pairs.but(row)))(pairs.one(row)[0])

    return predict


def told(oracle: Callable[[Tensor, Tensor], Tensor]) -> Callable[[Pairs], Iterator[Tensor]]:
    """An oracle row."""

    def predict(pairs: Pairs) -> Iterator[Tensor]:
        for row in range(len(pairs)):
            yield oracle(*pairs.one(row))

    return predict


def without_chroma(_grey: Tensor, truth: Tensor) -> Tensor:
    """The truth's lightness as grey."""
    in_lab = lab(truth)
    in_lab[:, 1:] = 0
    return to_bytes(visible_of(in_lab))


def _resized(image: np.ndarray) -> np.ndarray:
    return cv2.resize(image, (SIDE, SIDE), interpolation=cv2.INTER_AREA)


def _affine(radius: int, known: float) -> Row:
    def predict(grey: Tensor, truth: Tensor) -> Tensor:
        return oracles.local_affine(grey, truth, radius)

    return Row(f"Local affine map, radius {radius} px", told(predict), (known, None, None))


def _blurred(sigma: float, known: float) -> Row:
    def predict(grey: Tensor, truth: Tensor) -> Tensor:
        return oracles.truth_blurred(grey, truth, sigma)

    return Row(f"Truth blurred, sigma {sigma:g} px", told(predict), (known, None, None))


def _shifted(pixels: int, known: float, similarity: float) -> Row:
    def predict(grey: Tensor, truth: Tensor) -> Tensor:
        return oracles.truth_shifted(grey, truth, pixels)

    return Row(f"Truth shifted {pixels} px", told(predict), (known, similarity, None))


ROWS: Final = (
    Row("Thermal copied", fitted(trivial.fit_copied), (10.4, 0.291, 0.331)),
    Row("Thermal inverted", fitted(trivial.fit_inverted), (10.9, 0.313, 0.350)),
    Row(
        "Nearest neighbour by thermal thumbnail, leave-one-out",
        fitted(trivial.fit_nearest, leave_one_out=True),
        (13.4, 0.400, 0.442),
    ),
    Row(
        "Mean image, leave-one-out",
        fitted(trivial.fit_mean_image, leave_one_out=True),
        (14.2, 0.550, 0.591),
    ),
    Row("Mean colour", fitted(trivial.fit_mean_colour), (14.1, 0.555, 0.594)),
    Row("Own mean colour", told(oracles.own_mean_colour), (16.2, 0.577, 0.617)),
    Row("Own look-up table", told(oracles.own_look_up_table), (18.9, 0.520, 0.552)),
    _affine(64, 20.1),
    _affine(32, 21.8),
    _affine(16, 23.7),
    _affine(8, 25.8),
    _affine(4, 28.4),
    _blurred(1, 34.5),
    _blurred(2, 29.6),
    _blurred(4, 26.2),
    _blurred(8, 23.8),
    _shifted(1, 28.5, 0.862),
    _shifted(2, 24.6, 0.711),
    _shifted(4, 21.9, 0.583),
    _shifted(8, 19.9, 0.523),
    Row("True lightness, no chroma", told(without_chroma), (28.9, 0.963, 0.968)),
)


if __name__ == "__main__":
    run(main)
