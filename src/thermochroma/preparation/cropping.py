"""From raw pictures to packed windows, in one interpolation.

The thermal picture is warped onto the visible one, never the other way round, so that the colours
that a method must reach are those that the camera took. Windows lie where both cameras see.
"""

from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO, TypeAlias

import cv2
import numpy as np
import pandas as pd
from jaxtyping import Float, UInt8
from tqdm import tqdm

from thermochroma.errors import BadInput
from thermochroma.files import seed_of, sha256, whole_file
from thermochroma.images import (
    ThermalPicture,
    VisiblePicture,
    read_thermal,
    read_visible,
    size_of,
)
from thermochroma.manifest import CROP_COLUMNS
from thermochroma.preparation.geometry import field

Matrix: TypeAlias = Float[np.ndarray, "2 3"]
TOO_SMALL = "the field that both cameras see is smaller than the crop"


@dataclass(frozen=True)
class Window:
    """Where a crop lies: its corner in visible pixels that are enlarged by `zoom`."""

    zoom: float
    left: int
    top: int
    size: int


def crop_all(
    frames: pd.DataFrame,
    transforms: Mapping[str, Matrix],
    *,
    raw: Path,
    folder: Path,
    size: int,
    clip_frames: int,
    upscale: bool,
    seed: int,
    workers: int,
) -> pd.DataFrame:
    """Cut every usable frame into shards below `folder`, one a sequence and spectrum.

    frames: rows of FRAME_COLUMNS. transforms: by mount, visible to thermal pixels. Returns rows of
    CROP_COLUMNS, in the order of `frames`.
    """
    plan = pd.DataFrame(
        _plan(frames, transforms, raw, size, clip_frames, upscale, seed), columns=list(CROP_COLUMNS)
    )
    joined = plan.merge(frames[["frame", "thermal", "visible"]], on="frame", validate="1:1")
    kept = joined[joined["dropped"] == ""]
    for spectrum in ("thermal", "visible"):
        (folder / spectrum).mkdir(parents=True)
    cut = partial(_write_shards, raw=raw, folder=folder, size=size)
    sequences = [rows for _, rows in kept.groupby("sequence", sort=False)]
    with (
        ThreadPoolExecutor(workers) as pool,  # decoding and warping leave the interpreter's lock
        tqdm(total=len(kept), desc="crop", unit="frame") as bar,
    ):
        for written in pool.map(cut, sequences):
            bar.update(written)
    return plan


def fingerprint_shards(folder: Path) -> str:
    """One line a shard: its name below `folder` and its SHA-256."""
    return "".join(
        f"{path.relative_to(folder).as_posix()} {sha256(path)}\n"
        for path in sorted(folder.glob("*/*.npy"))
    )


def cut_thermal(
    thermal: ThermalPicture, matrix: Matrix, window: Window
) -> UInt8[np.ndarray, "side side"]:
    """Warp and cut at once: each window pixel is looked up, cubically, where the matrix sends it."""
    scale = 1 / window.zoom
    to_visible = np.array(  # window pixel -> raw visible pixel, both by their centres
        [
            [scale, 0, (window.left + 0.5) * scale - 0.5],
            [0, scale, (window.top + 0.5) * scale - 0.5],
            [0, 0, 1],
        ]
    )
    lookup = matrix @ to_visible
    flags = cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP
    cut: np.ndarray = cv2.warpAffine(
        thermal, lookup, (window.size, window.size), flags=flags, borderMode=cv2.BORDER_REPLICATE
    )
    return cut


def cut_visible(visible: VisiblePicture, window: Window) -> UInt8[np.ndarray, "side side 3"]:
    """Cut; pictures that are too small are enlarged bicubically first."""
    if window.zoom > 1:
        height, width = visible.shape[:2]
        enlarged = (round(width * window.zoom), round(height * window.zoom))
        visible = cv2.resize(visible, enlarged, interpolation=cv2.INTER_CUBIC)
    rows = slice(window.top, window.top + window.size)
    return visible[rows, window.left : window.left + window.size]


def choose_window(
    bounds: tuple[int, int, int, int], *, size: int, upscale: bool, seed: int
) -> Window | None:
    """A window of `size` inside the bounds (left, top, right, bottom) of the common field.

    None if the field is too small and must not be enlarged. The place follows from the seed alone.
    """
    left, top, right, bottom = bounds
    needed = max(size / (right - left), size / (bottom - top))
    if needed > 1 and not upscale:
        return None
    zoom = max(1.0, needed)
    random = np.random.default_rng(seed)
    first_x, last_x = int(np.ceil(left * zoom)), int(right * zoom) - size
    first_y, last_y = int(np.ceil(top * zoom)), int(bottom * zoom) - size
    return Window(
        zoom=zoom,
        left=int(random.integers(first_x, max(first_x, last_x) + 1)),
        top=int(random.integers(first_y, max(first_y, last_y) + 1)),
        size=size,
    )


def _plan(
    frames: pd.DataFrame,
    transforms: Mapping[str, Matrix],
    raw: Path,
    size: int,
    clip_frames: int,
    upscale: bool,
    seed: int,
) -> Iterator[dict[str, Any]]:
    """One row a frame: where it will be cut, or why it will not."""
    for _, rows in frames.groupby("sequence", sort=False):
        first_of_clip = ""
        index = 0
        for place, (_, row) in enumerate(rows.iterrows()):
            if place % clip_frames == 0:
                first_of_clip = str(row["frame"])
            # Training windows may change with the seed; what is tested on must not.
            mix = seed if row["split"] == "train" else "fixed"
            window = None
            dropped = str(row["defect"] or row["left_out"])
            if not dropped:
                bounds = field(transforms[row["mount"]], size_of(raw / row["visible"]))
                window = choose_window(
                    bounds, size=size, upscale=upscale, seed=seed_of("window", mix, first_of_clip)
                )
                dropped = "" if window is not None else TOO_SMALL
            yield _planned(row, place // clip_frames, index, window, transforms, dropped)
            index += not dropped


def _planned(
    row: pd.Series,
    clip: int,
    index: int,
    window: Window | None,
    transforms: Mapping[str, Matrix],
    dropped: str,
) -> dict[str, Any]:
    facts = {name: row[name] for name in ("frame", "sequence", "split", "place", "time")}
    if window is None:
        return facts | {"clip": clip, "transform": "", "shard": "", "dropped": dropped}
    numbers = " ".join(repr(float(number)) for number in transforms[row["mount"]].ravel())
    return facts | {
        "clip": clip,
        "transform": numbers,
        "zoom": window.zoom,
        "left": window.left,
        "top": window.top,
        "shard": str(row["sequence"]).replace("/", "_") + ".npy",
        "index": index,
        "dropped": "",
    }


def _write_shards(rows: pd.DataFrame, *, raw: Path, folder: Path, size: int) -> int:
    """Cut one sequence; frames pass through one by one, so memory does not grow with its length."""
    shard = rows.iloc[0]["shard"]
    shape = (len(rows), size, size)
    with (
        whole_file(folder / "thermal" / shard) as thermal_part,
        whole_file(folder / "visible" / shard) as visible_part,
        thermal_part.open("wb") as thermals,
        visible_part.open("wb") as visibles,
    ):
        _begin_shard(thermals, shape)
        _begin_shard(visibles, (*shape, 3))
        for _, row in rows.iterrows():
            window = Window(row["zoom"], int(row["left"]), int(row["top"]), size)
            matrix = np.array([float(number) for number in row["transform"].split()]).reshape(2, 3)
            thermal = read_thermal(raw / row["thermal"])
            thermals.write(cut_thermal(thermal, matrix, window).tobytes())
            visibles.write(cut_visible(read_visible(raw / row["visible"]), window).tobytes())
    return len(rows)


def _begin_shard(shard: BinaryIO, shape: tuple[int, ...]) -> None:
    """Write the head of an .npy file. Written, not mapped: a full disk then is an error, no crash."""
    head = {"descr": "|u1", "fortran_order": False, "shape": shape}
    np.lib.format.write_array_header_1_0(shard, head)


def refuse_too_small(plan: pd.DataFrame, *, size: int, dataset: str) -> None:
    """Raise BadInput if a frame is smaller than the crop, for data sets that refuse defects."""
    small = plan[plan["dropped"] == TOO_SMALL]
    if len(small):
        raise BadInput(
            given=f"{len(small)} frames of `{dataset}` are smaller than the crop of {size} pixels, "
            f"first {small.iloc[0]['frame']}",
            needed=f"at least {size} by {size} pixels that both cameras see",
            remedy=f"set `crop.{dataset}.size` smaller, or `sources.{dataset}.on_defect: drop`",
        )
