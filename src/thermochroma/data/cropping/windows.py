"""Windows of all frames: in the field that both cameras see, at a place that only seeds decide.

They are planned from the table of frames, without opening a file: 100,000 frames take seconds.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Final, TypeAlias

import numpy as np
import pandas as pd

from thermochroma.base.errors import BadInput
from thermochroma.base.files import seed_of
from thermochroma.contract.dataset import Matrix
from thermochroma.data.registration.geometry import field

Bounds: TypeAlias = tuple[int, int, int, int]
"""Left, top, right and bottom of a field, in raw visible pixels; the last two are exclusive."""

TOO_SMALL: Final = "the field that both cameras see is smaller than the crop"
MULTIPLE_OF: Final = 32  # divisor of the sides of full frames, as the translators need it
TOO_SMALL_TO_BE_WHOLE: Final = (
    f"the field that both cameras see is smaller than {MULTIPLE_OF} pixels"
)
SHARD_FRAMES: Final = 1000  # most frames in one shard, and so the most that a killed cropping loses
HELD_OUT: Final = ("validation", "test")
WINDOW_COLUMNS: Final = {
    "zoom": "Float64",
    **dict.fromkeys(("left", "top", "width", "height"), "Int64"),
}
RAW_COLUMNS: Final = (
    *("mount", "thermal", "visible", "tone"),
    *("thermal_sha256", "visible_sha256"),
)


@dataclass(frozen=True)
class Window:
    """Corner and size of a crop, in visible pixels that are enlarged by `zoom`."""

    zoom: float
    left: int
    top: int
    width: int
    height: int


def plan_windows(
    frames: pd.DataFrame,
    transforms: Mapping[str, Matrix],
    *,
    size: int,
    clip_frames: int,
    upscale: bool,
    seed: int,
) -> pd.DataFrame:
    """Plan a square window of side `size` for every usable frame, one for all frames of a clip.

    frames: rows of FRAME_COLUMNS. transforms: by mount, visible to thermal pixels. Training windows
    depend on the seed and on the id of their clip's first frame, the others on that id alone. Returns
    one row per frame, in order: CROP_COLUMNS without a shard yet, RAW_COLUMNS, and the window's width
    and height; `dropped` is the reason why a frame has no window.
    """
    plan, fields = _begin(frames, transforms, clip_frames), _fields(frames, transforms)
    firsts = plan.groupby(["sequence", "clip"], sort=False)["frame"].transform("first")
    # Training windows may change with the seed; those of held-out frames must not.
    mixes = np.where(plan["split"] == "train", str(seed), "fixed")
    windows = [
        None
        if bounds is None
        else choose_window(bounds, size=size, upscale=upscale, seed=seed_of("window", mix, first))
        for bounds, mix, first in zip(fields, mixes, firsts, strict=True)
    ]
    return _with_windows(plan, windows, TOO_SMALL)


def plan_full(
    frames: pd.DataFrame, transforms: Mapping[str, Matrix], windows: pd.DataFrame
) -> pd.DataFrame:
    """Plan windows of the whole common field, at raw size, for every held-out frame with a window.

    The sides are cut to multiples of 32, evenly from both ends. Returns a table as `plan_windows`
    does, for the frames of the validation and test splits.
    """
    held_out = frames["split"].isin(HELD_OUT).to_numpy()
    plan, fields = windows[held_out].reset_index(drop=True), _fields(frames[held_out], transforms)
    whole = [
        None if bounds is None or reason else _whole(bounds)
        for bounds, reason in zip(fields, plan["dropped"], strict=True)
    ]
    return _with_windows(plan, whole, TOO_SMALL_TO_BE_WHOLE)


def assign_shards(windows: pd.DataFrame) -> pd.DataFrame:
    """Fill in `shard` and `index`; for dropped frames, clear window and transform.

    A shard holds frames of one sequence and one size, at most 1,000, in order. It is named after the
    sequence, and numbered if the sequence has several. Raises ValueError if two sequences would get
    the same file name.
    """
    plan, dropped = windows.copy(), windows["dropped"] != ""
    plan.loc[dropped, [*WINDOW_COLUMNS]] = pd.NA
    plan.loc[dropped, "transform"] = ""
    kept = plan[~dropped]
    sequence = kept["sequence"]
    alike = kept.groupby(["sequence", "width", "height"], sort=False)
    place = alike.cumcount()
    shards = kept.groupby([sequence, alike.ngroup(), place // SHARD_FRAMES], sort=False).ngroup()
    number = shards.groupby(sequence, sort=False).transform(lambda few: pd.factorize(few)[0])
    several = number.groupby(sequence, sort=False).transform("max") > 0
    suffix = number.map("-{:03d}".format).where(several, "").astype("string")
    names = sequence.str.replace("/", "_") + suffix + ".npy"
    _refuse_collisions(names, shards)
    plan["shard"] = names.reindex(plan.index, fill_value="")
    plan["index"] = (place % SHARD_FRAMES).astype("Int64")
    return plan


def choose_window(bounds: Bounds, *, size: int, upscale: bool, seed: int) -> Window | None:
    """Choose a square window of side `size` inside the bounds of the common field.

    None if the field is empty, or too small and must not be enlarged. The place depends on bounds and
    seed alone.
    """
    left, top, right, bottom = bounds
    if right <= left or bottom <= top:
        return None
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
        width=size,
        height=size,
    )


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


def _begin(
    frames: pd.DataFrame, transforms: Mapping[str, Matrix], clip_frames: int
) -> pd.DataFrame:
    """Table of the plan without the windows."""
    texts = {
        mount: " ".join(repr(float(number)) for number in matrix.ravel())
        for mount, matrix in transforms.items()
    }
    plan = frames[["frame", "sequence", "split", "place", "time", *RAW_COLUMNS]].reset_index(
        drop=True
    )
    plan["clip"] = plan.groupby("sequence", sort=False).cumcount() // clip_frames
    plan["transform"] = plan["mount"].map(texts).fillna("")
    reasons = frames["defect"].where(frames["defect"] != "", frames["left_out"])
    plan["dropped"] = reasons.to_numpy()
    plan["shard"], plan["index"] = "", pd.array([pd.NA] * len(plan), dtype="Int64")
    return plan


def _fields(frames: pd.DataFrame, transforms: Mapping[str, Matrix]) -> list[Bounds | None]:
    """The common field of each frame; None for frames that are not used."""

    @cache  # there are ten thousands of frames, but few mounts and sizes
    def found(mount: str, width: int, height: int) -> Bounds:
        return field(transforms[mount], (width, height))

    used = (frames["defect"] == "") & (frames["left_out"] == "")
    columns = (frames[name] for name in ("mount", "width", "height"))
    return [
        found(mount, int(width), int(height)) if use else None
        for use, mount, width, height in zip(used, *columns, strict=True)
    ]


def _whole(bounds: Bounds) -> Window | None:
    left, top, right, bottom = bounds
    width, height = (
        (far - near) // MULTIPLE_OF * MULTIPLE_OF for near, far in (bounds[::2], bounds[1::2])
    )
    if not width or not height:
        return None
    return Window(
        zoom=1.0,
        left=left + (right - left - width) // 2,
        top=top + (bottom - top - height) // 2,
        width=width,
        height=height,
    )


def _with_windows(
    plan: pd.DataFrame, windows: Sequence[Window | None], reason: str
) -> pd.DataFrame:
    """Fill in the windows; frames without one are dropped for `reason`, unless they already were."""
    table, has_none = plan.copy(), np.array([window is None for window in windows], bool)
    table.loc[has_none & (table["dropped"] == ""), "dropped"] = reason
    for name, kind in WINDOW_COLUMNS.items():
        values = [None if window is None else getattr(window, name) for window in windows]
        table[name] = pd.Series(values, index=table.index, dtype=kind)
    return table


def _refuse_collisions(names: pd.Series, shards: pd.Series) -> None:
    """Raise ValueError if sequences whose names differ only by `/` and `_` would share a file."""
    if names.nunique() != shards.nunique():
        raise ValueError(
            "two sequences have the same shard name: rename one in the data set's file"
        )
