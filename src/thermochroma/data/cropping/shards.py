"""Packed windows on disk: shards that appear whole, so that an interrupted cropping can resume.

One shard holds frames of one size from one sequence, as "thermal/<shard>" (n h w) and
"visible/<shard>" (n h w 3). A cropping resumes shard by shard; frames are processed one by one, so
memory grows neither with a sequence nor with the data set.
"""

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Lock
from typing import Final

import pandas as pd
from tqdm import tqdm

from thermochroma.base.files import sha256
from thermochroma.base.images import ThermalImage, Tone, read_thermal, read_visible
from thermochroma.base.shards import new_shard
from thermochroma.contract.dataset import Matrix
from thermochroma.data.cropping.cut import cut_thermal, cut_visible
from thermochroma.data.cropping.windows import Window

SPECTRA: Final = ("thermal", "visible")
NEEDED: Final = (
    *("thermal", "visible", "tone", "thermal_sha256", "visible_sha256"),
    *("mount", "zoom", "left", "top", "width", "height"),
)


def write_shards(
    plan: pd.DataFrame,
    transforms: Mapping[str, Matrix],
    *,
    raw: Path,
    folder: Path,
    workers: int,
    title: str,
    note: Callable[[int, ThermalImage], None] | None = None,
) -> int:
    """Cut every frame that has a shard, into `folder`. Return the number of frames that were cut.

    plan: from `assign_shards`. transforms: by mount, visible to thermal pixels. note: is called with
    each row of the plan and its thermal image before the shard appears. Existing shards in `folder`
    are kept: the caller must make sure that they belong to the same plan.
    """
    for spectrum in SPECTRA:
        (folder / spectrum).mkdir(parents=True, exist_ok=True)
    shards = dict(list(plan[plan["dropped"] == ""].groupby("shard", sort=False)))
    left = {name: rows for name, rows in shards.items() if not _is_whole(folder, str(name))}
    all_frames, to_cut = (sum(map(len, some.values())) for some in (shards, left))
    with (
        ThreadPoolExecutor(workers) as pool,  # decoding and warping release the interpreter's lock
        tqdm(total=all_frames, initial=all_frames - to_cut, desc=title, unit="frame") as bar,
    ):
        tick, seen = _ticking(bar), note or _ignore

        def cut(rows: pd.DataFrame) -> None:
            _write(rows, transforms, raw, folder, seen, tick)

        for _ in pool.map(cut, left.values()):
            pass
    return to_cut


def fingerprint_shards(folder: Path, *, workers: int) -> str:
    """Text with one line per shard: its path relative to `folder` and its SHA-256."""
    paths = sorted(path for spectrum in SPECTRA for path in (folder / spectrum).glob("*.npy"))
    with ThreadPoolExecutor(workers) as pool:
        hashes = tqdm(pool.map(sha256, paths), total=len(paths), desc="hash", unit="shard")
        return "".join(
            f"{path.relative_to(folder).as_posix()} {digest}\n"
            for path, digest in zip(paths, hashes, strict=True)
        )


def _is_whole(folder: Path, shard: str) -> bool:
    return all((folder / spectrum / shard).exists() for spectrum in SPECTRA)


def _write(
    rows: pd.DataFrame,
    transforms: Mapping[str, Matrix],
    raw: Path,
    folder: Path,
    note: Callable[[int, ThermalImage], None],
    tick: Callable[[], None],
) -> None:
    """Cut the frames of one shard."""
    first = rows.iloc[0]
    shape = (len(rows), int(first["height"]), int(first["width"]))
    with (
        new_shard(folder / "thermal" / first["shard"], shape) as add_thermal,
        new_shard(folder / "visible" / first["shard"], (*shape, 3)) as add_visible,
    ):
        for row, *frame in zip(rows.index, *(rows[name] for name in NEEDED), strict=True):
            thermal, visible, tone, *digests, mount, zoom = frame[:7]
            corner_and_size = frame[7:]
            window = Window(zoom, *map(int, corner_and_size))
            seen = read_thermal(raw / thermal, Tone.parse(tone), sha256=digests[0])
            note(row, seen)
            add_thermal(cut_thermal(seen, transforms[mount], window))
            target = read_visible(raw / visible, sha256=digests[1])
            add_visible(cut_visible(target, window))
            tick()


def _ignore(row: int, thermal: ThermalImage) -> None:
    pass


def _ticking(bar: tqdm) -> Callable[[], None]:
    """Make a function that advances the bar by one, from any thread."""
    lock = Lock()

    def tick() -> None:
        with lock:
            bar.update()

    return tick
