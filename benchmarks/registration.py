"""How many pairs a second are registered, on one core and on all, and where the time goes.

Real pairs are scaled to one size (KAIST has 640x512), and written as JPEG; each is a mount of its own,
so that every pair is estimated. The memory is that of all processes together, pages that they share
counted once each.

    python -m benchmarks.registration --dataset roadscene --raw data/raw/roadscene --size 640x512
"""

import os
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import cycle, islice
from pathlib import Path
from typing import Final

import cv2
import pandas as pd
import psutil

from stages.command import run
from thermochroma.base.files import sha256
from thermochroma.base.images import read_thermal, read_visible
from thermochroma.contract.dataset import load_dataset
from thermochroma.data.registration.geometry import IDENTITY
from thermochroma.data.registration.pair_estimate import estimate_pair, score_pair
from thermochroma.data.registration.register import register

IMAGES: Final = 60  # different pairs; they are used again where more are asked for
RUNS: Final = ((1, 60), (0, 60), (0, 240))  # (workers, pairs); 0 workers: all cores
PARTS: Final = 20  # pairs for the table of parts


def main(dataset: str, raw: Path, size: str) -> None:
    """Prints two tables as Markdown: throughput with memory, and milliseconds a part. size: as 640x512."""
    width, height = map(int, size.split("x"))
    with tempfile.TemporaryDirectory() as folder:
        names = _written(dataset, raw, Path(folder), (width, height))
        sys.stdout.write(f"\n{_throughput(names, Path(folder))}\n\n{_parts(names, Path(folder))}\n")


def _written(dataset: str, raw: Path, folder: Path, size: tuple[int, int]) -> list[str]:
    """Write the first pairs of the data set in one size; returns their names."""
    source = load_dataset(dataset)
    frames = source.frames(source.settings(), raw)[:IMAGES]
    for spectrum in ("thermal", "visible"):
        (folder / spectrum).mkdir()
        for index, frame in enumerate(frames):
            image = cv2.imread(str(raw / getattr(frame, spectrum)))
            scaled = cv2.resize(image, size, interpolation=cv2.INTER_CUBIC)
            cv2.imwrite(str(folder / f"{spectrum}/{index}.jpg"), scaled)
    return [f"{index}.jpg" for index in range(len(frames))]


def _throughput(names: Sequence[str], folder: Path) -> str:
    rows = []
    for asked, pairs in RUNS:
        workers = asked or os.cpu_count() or 1
        table = _table_of(list(islice(cycle(names), pairs)), folder)
        with _peak_memory() as peak:
            start = time.perf_counter()
            register(table, raw=folder, stills=True, workers=workers)
            seconds = time.perf_counter() - start
        figures = (f"{seconds:.1f}", f"{pairs / seconds:.1f}", f"{peak() / 2**20:.0f}")
        rows.append((str(workers), str(pairs), *figures))
    return _markdown(["processes", "pairs", "seconds", "pairs a second", "peak memory (MiB)"], rows)


def _table_of(names: Sequence[str], folder: Path) -> pd.DataFrame:
    """The columns of manifest.FRAME_COLUMNS that a registration reads; every frame a mount."""
    empty = dict.fromkeys(("rig", "tone", "defect", "left_out"), "")
    paths = {each: [f"{each}/{name}" for name in names] for each in ("thermal", "visible")}
    digests = {
        f"{each}_sha256": [sha256(folder / path) for path in found] for each, found in paths.items()
    }
    ids = [str(index) for index in range(len(names))]
    return pd.DataFrame({"frame": ids, "mount": ids, **empty, **paths, **digests})


@contextmanager
def _peak_memory() -> Iterator[Callable[[], int]]:
    """The largest memory, in bytes, of this process and those below it while the block runs."""
    seen, done = [0], threading.Event()

    def watch() -> None:
        while not done.wait(0.1):
            seen.append(sum(_memory(one) for one in _processes()))

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    try:
        yield lambda: max(seen)
    finally:
        done.set()
        watcher.join()


def _processes() -> list[psutil.Process]:
    this = psutil.Process()
    return [this, *this.children(recursive=True)]


def _memory(process: psutil.Process) -> int:
    """Shared pages are split among those that share them; 0 for a process that just ended."""
    try:
        return int(process.memory_full_info().pss)
    except psutil.NoSuchProcess:
        return 0


def _parts(names: Sequence[str], folder: Path) -> str:
    cv2.setNumThreads(1)
    chosen = names[:PARTS]
    thermal = [read_thermal(folder / "thermal" / name) for name in chosen]
    visible = [read_visible(folder / "visible" / name) for name in chosen]
    pairs = list(zip(thermal, visible, strict=True))
    parts: dict[str, Callable[[], object]] = {
        "read both images": lambda: [
            (read_thermal(folder / "thermal" / name), read_visible(folder / "visible" / name))
            for name in chosen
        ],
        "estimate the transform (frames that vote)": lambda: [
            estimate_pair(*pair, gain_needed=0.01) for pair in pairs
        ],
        "score a transform (frames that confirm)": lambda: [
            score_pair(*pair, IDENTITY) for pair in pairs
        ],
    }
    rows = [(name, f"{1000 * _seconds(part) / len(chosen):.0f}") for name, part in parts.items()]
    return _markdown(["part, on one core", "CPU ms a pair"], rows)


def _seconds(part: Callable[[], object]) -> float:
    start = time.process_time()
    part()
    return time.process_time() - start


def _markdown(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


if __name__ == "__main__":
    run(main)
