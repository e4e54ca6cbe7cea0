"""How fast frames are cropped, and that memory does not grow with their number.

Frames of 640x512 pixels, whose files are as large as KAIST's, are cut to 256x256; for the memory,
tables of up to 95,328 small frames go through everything that the stage does. The table of frames
names the same few files again and again, so that no data set need be there.

    python -m benchmarks.cropping
"""

import os
import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final, TypeVar

import cv2
import numpy as np
import pandas as pd
from jaxtyping import UInt8
from PIL import Image

from benchmarks.apart import apart
from stages.command import run
from thermochroma.base.files import sha256
from thermochroma.base.manifest import FRAME_COLUMNS
from thermochroma.base.memory import peak_bytes
from thermochroma.data.cropping.near_duplicates import keep_thumbnails, steps, take_thumbnails
from thermochroma.data.cropping.shards import write_shards
from thermochroma.data.cropping.windows import assign_shards, plan_windows

POOL: Final = 24  # pairs of files
SEQUENCES: Final = 41
QUALITY: Final = 95
LARGE, SMALL = (640, 512), (80, 64)
SPEED_FRAMES, ROUNDS = 1000, 5

Result = TypeVar("Result")


@dataclass(frozen=True)
class Measured:
    """Seconds of each part, processor seconds of cutting, and bytes of memory."""

    plan: float
    compare: float
    cut: float
    cut_work: float
    before: int
    peak: int


def main() -> None:
    """Prints two Markdown tables: speed at 640x512, and memory by the number of frames."""
    with TemporaryDirectory() as folder:
        large, small = Path(folder, "large"), Path(folder, "small")
        kilobytes = make_images(large, LARGE), make_images(small, SMALL)
        rounds = [apart(measure, large, SPEED_FRAMES, LARGE, 256) for _ in range(ROUNDS)]
        sys.stdout.write(speed_table(rounds, kilobytes[0]))
        counts = (1000, 10_000, 95_328)
        sys.stdout.write(memory_table({n: apart(measure, small, n, SMALL, 32) for n in counts}))


def make_images(raw: Path, size: tuple[int, int]) -> float:
    """Write `POOL` pairs; returns the mean size of their files in kilobytes."""
    random = np.random.default_rng(0)
    for spectrum, channels, grain in (("thermal", 1, 14.0), ("visible", 3, 9.0)):
        (raw / spectrum).mkdir(parents=True)
        for number in range(POOL):
            image = _drawn(random, size, channels, grain)
            Image.fromarray(image).save(raw / spectrum / f"{number}.jpg", quality=QUALITY)
    return statistics.mean(path.stat().st_size for path in raw.rglob("*.jpg")) / 1000


def _drawn(
    random: np.random.Generator, size: tuple[int, int], channels: int, grain: float
) -> UInt8[np.ndarray, "..."]:
    """Blots under grain, which is what fills the files."""
    coarse = random.uniform(30, 220, (8, 10, channels)).astype(np.float32)
    smooth = cv2.resize(coarse, size, interpolation=cv2.INTER_CUBIC).reshape(*size[::-1], channels)
    noisy = smooth + random.normal(0, grain, (*size[::-1], 1))
    return np.clip(noisy, 0, 255).astype(np.uint8).squeeze()


def table_of(raw: Path, count: int, size: tuple[int, int]) -> pd.DataFrame:
    """Rows of FRAME_COLUMNS in as many sequences as KAIST has, with the digests of the files."""
    each = -(-count // SEQUENCES)
    digests = {path.relative_to(raw).as_posix(): sha256(path) for path in raw.rglob("*.jpg")}
    rows = []
    for number in range(count):
        sequence = f"set{number // each:02d}/V000"
        files = tuple(f"{spectrum}/{number % POOL}.jpg" for spectrum in ("thermal", "visible"))
        facts = (f"{sequence}/I{number % each:05d}", sequence, sequence, "", "train", "road", "day")
        rows.append((*facts, *files, *size, "", *(digests[one] for one in files), "", ""))
    return pd.DataFrame(rows, columns=list(FRAME_COLUMNS)).astype(FRAME_COLUMNS)


def measure(raw: Path, count: int, size: tuple[int, int], side: int) -> Measured:
    """Plan, compare and cut as the stage does, with a small warp for every frame."""
    frames, workers = table_of(raw, count, size), os.cpu_count() or 1
    warp = np.array([[1.002, 0.001, 1.5], [-0.001, 1.002, -1.0]])
    transforms = dict.fromkeys(frames["mount"].unique(), warp)
    before = peak_bytes()
    with TemporaryDirectory() as folder:
        windows, plan_seconds = _timed(
            lambda: plan_windows(
                frames, transforms, size=side, clip_frames=1, upscale=False, seed=0
            )
        )
        thumbnails, compare_seconds = _timed(
            lambda: take_thumbnails(windows, Path(folder, "thumbnails"), raw=raw, workers=workers)
        )
        kept, note = keep_thumbnails(windows, Path(folder, "kept"))
        plan, crops = assign_shards(windows), Path(folder, "crops")
        work = time.process_time()
        _, cut_seconds = _timed(
            lambda: write_shards(
                plan, transforms, raw=raw, folder=crops, workers=workers, title="crop", note=note
            )
        )
        work = time.process_time() - work
        assert np.array_equal(steps(kept), steps(thumbnails), equal_nan=True)
    return Measured(plan_seconds, compare_seconds, cut_seconds, work, before, peak_bytes())


def speed_table(rounds: list[Measured], kilobytes: float) -> str:
    """Frames a second, median and range over rounds."""
    lines = ["| part | frames/s, median (least to most) |", "|---|--:|"]
    for name in ("compare", "cut"):
        speeds = [SPEED_FRAMES / getattr(one, name) for one in rounds]
        spread = f"{min(speeds):,.0f} to {max(speeds):,.0f}"
        lines.append(f"| {name} | {statistics.median(speeds):,.0f} ({spread}) |")
    work = statistics.median(one.cut_work for one in rounds) / SPEED_FRAMES * 1000
    note = f"{os.cpu_count()} cores; {work:.1f} ms of one core to cut a frame; "
    return "\n".join([*lines, f"\n{note}{kilobytes:.0f} kB an image.\n\n"])


def memory_table(found: dict[int, Measured]) -> str:
    """Peak memory, of which the part that was there before, with the table of frames in it."""
    lines = ["| frames | planning, s | MB before | MB at most |", "|--:|--:|--:|--:|"]
    for count, one in found.items():
        megabytes = f"{one.before / 1e6:,.0f} | {one.peak / 1e6:,.0f}"
        lines.append(f"| {count:,} | {one.plan:.1f} | {megabytes} |")
    return "\n".join(lines) + "\n"


def _timed(act: Callable[[], Result]) -> tuple[Result, float]:
    start = time.perf_counter()
    return act(), time.perf_counter() - start


if __name__ == "__main__":
    run(main)
