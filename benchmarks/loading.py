"""How fast crops come out of the page cache: pairs of 256x256 pixels, shuffled, flipped, in batches.

Without a network and without the way to a device: what is measured ends with the batch of bytes.

    python -m benchmarks.loading
"""

import os
import statistics
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import numpy as np
import pandas as pd
import torch

from thermochroma.base.manifest import CROP_COLUMNS, write_table
from thermochroma.base.shards import write_shard
from thermochroma.loading.crops import MANIFEST, Crops
from thermochroma.loading.loader import TrainingImages, raw_batches

SIDE, PAIRS, SHARDS = 256, 256, 4
BATCH: Final = 16
WINDOWS: Final = (256, 128)
WORKERS: Final = (0, 1, 2)
WARM_UP, SHOWN, ROUNDS = 512, 4096, 5  # pairs, pairs a round
PROCESSOR: Final = torch.device("cpu")


def main() -> None:
    """Prints a Markdown table: pairs a second, median and range over rounds."""
    torch.set_num_threads(1)  # nothing is computed here
    lines = [
        "| window | loading processes | pairs/s, median (least to most) |",
        "|--:|--:|--:|",
    ]
    with TemporaryDirectory() as folder:
        crops = make_crops(Path(folder))
        for window in WINDOWS:
            for workers in WORKERS:
                speeds = measure(crops, window, workers)
                spread = f"{min(speeds):,.0f} to {max(speeds):,.0f}"
                lines.append(
                    f"| {window} | {workers} | {statistics.median(speeds):,.0f} ({spread}) |"
                )
    lines.append(f"\n{os.cpu_count()} cores, batches of {BATCH}; 0: in the training's own process.")
    sys.stdout.write("\n".join(lines) + "\n")


def make_crops(folder: Path, pairs: int = PAIRS) -> Crops:
    """Shards of noise, freshly written, so that the page cache holds them. pairs: in each."""
    random, rows = np.random.default_rng(0), []
    for shard in range(SHARDS):
        for spectrum, channels in (("thermal", ()), ("visible", (3,))):
            shape = (pairs, SIDE, SIDE, *channels)
            pixels = random.integers(0, 256, shape, dtype=np.uint8)
            write_shard(folder / spectrum / f"{shard}.npy", [*pixels])
        facts = (f"{shard}", "train", "", "", 0, "1 0 0 0 1 0", 1.0, 0, 0, f"{shard}.npy")
        rows += [(f"{shard}/{index:05d}", *facts, index, "") for index in range(pairs)]
    write_table(folder / MANIFEST, pd.DataFrame(rows, columns=list(CROP_COLUMNS)), CROP_COLUMNS)
    return Crops(folder)


def measure(
    crops: Crops,
    window: int,
    workers: int,
    *,
    shown: int = SHOWN,
    device: torch.device = PROCESSOR,
) -> list[float]:
    """Pairs a second, round by round; the start of the processes does not count.

    shown: pairs a round. device: for a GPU, batches are pinned.
    """
    warm_up = min(WARM_UP, shown)
    images = TrainingImages(
        crops=crops,
        rows=crops.split("train"),
        text=None,
        aligned=True,
        flip=0.5,
        window=window,
        seed=0,
    )
    batches = raw_batches(
        images,
        (range(first, first + BATCH) for first in range(0, warm_up + ROUNDS * shown, BATCH)),
        workers=workers,
        device=device,
    )
    for _ in range(warm_up // BATCH):
        next(batches)
    speeds = []
    for _ in range(ROUNDS):
        start = time.perf_counter()
        for _ in range(shown // BATCH):
            next(batches)
        speeds.append(shown / (time.perf_counter() - start))
    return speeds


if __name__ == "__main__":
    from stages.command import run  # asks for packages that `benchmarks.gpu` does without

    run(main)
