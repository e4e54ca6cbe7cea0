"""What scoring costs: every score of an image beside torchmetrics' PSNR and SSIM alone.

Ours are all of `SCORES`, with the edges that are compared with what was seen. Both take turns in one
process with the same threads, over the same made-up images; the peaks of memory are of processes of
their own.

    python -m benchmarks.scoring --images 200 --threads 2
"""

import statistics
import sys
import time
from collections.abc import Callable
from typing import Final

import cv2
import numpy as np
import torch
from torch import Tensor

from benchmarks.apart import apart
from thermochroma.base.memory import peak_bytes
from thermochroma.evaluation.scoring import edge_scores
from thermochroma.metrics.image_scores import score_images

SIDE: Final = 256
BATCH: Final = 16  # images at a time, as the stages score them
CLOCKS: Final = {"wall": time.perf_counter, "processor": time.process_time}


def main(images: str, threads: str) -> None:
    """Prints Markdown: milliseconds an image, median over batches, and peak memory for N/10 and N."""
    count = int(images)
    times = apart(_times, count, int(threads))
    sys.stdout.write(
        f"{count} images of {SIDE}x{SIDE}, {threads} threads; torchmetrics one image at a time "
        f"and {BATCH} at a time\n\n"
        "| clock | all scores, ms | torchmetrics, ms | ratio | torchmetrics, batches, ms | ratio |\n"
        "|---|--:|--:|--:|--:|--:|\n"
    )
    for clock, found in times.items():
        ours, single, batches = (statistics.median(found[name]) * 1000 for name in WAYS)
        cells = f"{ours:.1f} | {single:.1f} | {ours / single:.2f} | {batches:.1f} | {ours / batches:.2f}"
        sys.stdout.write(f"| {clock} | {cells} |\n")
    sys.stdout.write("\n| images | peak memory, all scores, MiB |\n|--:|--:|\n")
    for number in (count // 10, count):
        peak = apart(_peak, number, int(threads)) / 2**20
        sys.stdout.write(f"| {number} | {peak:.0f} |\n")


def all_scores(prediction: Tensor, truth: Tensor, seen: Tensor) -> None:
    """What `scoring.score_rows` takes of one batch."""
    score_images(prediction, truth)
    edge_scores(prediction, seen)


def reference(prediction: Tensor, truth: Tensor, _seen: Tensor) -> None:
    """torchmetrics, a batch at a time."""
    from torchmetrics.functional.image import (  # no part of what a GPU's machine needs
        peak_signal_noise_ratio,
        structural_similarity_index_measure,
    )

    one, other = prediction.float(), truth.float()
    structural_similarity_index_measure(one, other, data_range=255.0, reduction="none")
    peak_signal_noise_ratio(one, other, data_range=255.0, reduction="none", dim=(1, 2, 3))


def reference_singly(prediction: Tensor, truth: Tensor, seen: Tensor) -> None:
    """torchmetrics, an image at a time: its work then fits the processor's cache."""
    for triple in zip(prediction.split(1), truth.split(1), seen.split(1), strict=True):
        reference(*triple)


WAYS: Final[dict[str, Callable[[Tensor, Tensor, Tensor], None]]] = {
    "ours": all_scores,
    "single": reference_singly,
    "batches": reference,
}


def made(number: int, count: int) -> tuple[Tensor, Tensor, Tensor]:
    """Images like roads, and blurred, faded, noisy predictions of them: predicted, truth, seen."""
    random = np.random.default_rng(number)
    truth = np.stack([_drawn(random) for _ in range(count)])
    blurred = np.stack([cv2.GaussianBlur(one, (0, 0), 2.0) for one in truth])
    prediction = blurred * 0.8 + 30 + random.normal(size=truth.shape) * 4
    seen = 255 - truth.mean(axis=-1, keepdims=True)
    return tuple(
        torch.from_numpy(batch.clip(0, 255).round().astype(np.uint8))
        .permute(0, 3, 1, 2)
        .contiguous()
        for batch in (prediction, truth, seen)
    )  # type: ignore[return-value]  # of three


def _drawn(random: np.random.Generator) -> np.ndarray:
    ground = cv2.GaussianBlur(random.normal(size=(SIDE, SIDE)).astype(np.float32), (0, 0), 24.0)
    image = ground[..., None] * 900 + 110 + np.array([8, 0, -8], dtype=np.float32)
    for _ in range(25):
        top, left = random.integers(0, SIDE - 12, 2)
        height, width = random.integers(6, SIDE // 3, 2)
        colour = random.uniform(35, 220) + random.normal(size=3) * 9
        image[top : top + height, left : left + width] = colour
    return (image + random.normal(size=image.shape) * 3).astype(np.float32)


def _times(count: int, threads: int) -> dict[str, dict[str, list[float]]]:
    """Seconds an image of each batch, by clock and way; the first batch warms up."""
    torch.set_num_threads(threads)
    found: dict[str, dict[str, list[float]]] = {clock: {w: [] for w in WAYS} for clock in CLOCKS}
    for number in range(count // BATCH + 1):
        batch = made(number, BATCH)
        for way, work in WAYS.items():
            before = {clock: now() for clock, now in CLOCKS.items()}
            work(*batch)
            for clock, now in CLOCKS.items():
                if number:
                    found[clock][way].append((now() - before[clock]) / BATCH)
    return found


def _peak(count: int, threads: int) -> int:
    """Bytes of memory at most."""
    torch.set_num_threads(threads)
    for number in range(-(-count // BATCH)):
        all_scores(*made(number, BATCH))
    return peak_bytes()


if __name__ == "__main__":
    from stages.command import run  # asks for packages that `benchmarks.gpu` does without

    run(main)
