"""Pairs of a user's own, in two folders: one file for any number of data sets, by any name.

    sources:
      mine: {kind: folders, thermal: ../pairs/thermal, visible: ../pairs/visible}

Two images whose paths differ in nothing but the suffix are a pair. The docstrings of the settings say what
can be told of them; `docs/how-to/own-pairs.md` goes the whole way.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final, Literal

import pandas as pd
from pydantic import Field

from thermochroma.base.errors import BadInput
from thermochroma.base.manifest import usable
from thermochroma.base.project import at_root
from thermochroma.base.splits import SPLITS
from thermochroma.contract.dataset import Dataset, DatasetSettings, Facts, Frame
from thermochroma.contract.paths import UserPath
from thermochroma.data.acquisition.own_folders import link_folders, pair_by_name, subfolder_of
from thermochroma.data.acquisition.own_splits import Placed, by_blocks, by_folders, by_table

TELLING: Final = 6
"""Test sequences below which hardly any two methods can be told apart: 2 ** -5 is the least p of five."""


class FoldersSettings(DatasetSettings):
    """A block of `sources` with `kind: folders`."""

    on_defect: Literal["refuse", "drop"]
    thermal: UserPath
    """Folder of the thermal images, with subfolders or without."""
    visible: UserPath
    """Folder of the visible images, which have the same names in the same subfolders."""
    title: str | None = Field(default=None, min_length=1, max_length=80)
    """Title in tables and on the page; null takes the data set's name."""
    scene: str = Field(default="a scene", min_length=1, max_length=80)
    """Phrase of captions for what all images show, with its article; never of one visible image."""
    split: UserPath = "blocks"
    """blocks: of neighbours, by name; folders: subfolders train, validation and test; or the path of a CSV
    file with the columns name, split and, if wanted, sequence."""
    block: int | None = Field(default=None, ge=1)
    """Neighbours that stay together, in pairs; null takes a twentieth of all pairs, from 1 to 50."""
    cameras: Literal["free", "fixed", "aligned"] = "free"
    """free: a transform for each pair. fixed: one for all pairs of a subfolder. aligned: none, the images
    of a pair lie on each other."""


def acquire(settings: FoldersSettings, raw: Path) -> None:
    """Link the two folders below `raw`. Raises BadInput for folders that are not there or overlap."""
    if settings.source is not None:
        raise BadInput(
            given=f"`sources.{raw.name}.source` is {settings.source!r}",
            needed="the two folders of your own pairs stand under `thermal` and `visible`",
            remedy="leave out `source`",
        )
    folders = {"thermal": settings.thermal, "visible": settings.visible}
    link_folders(raw, folders, name=raw.name)


def frames(settings: FoldersSettings, raw: Path) -> Sequence[Frame]:
    """List every name in either folder, so that missing files are noticed; in natural order.

    Raises BadInput if the names do not pair up, or if the split does not fit them.
    """
    pairs = pair_by_name(raw, name=raw.name)
    placed = _placed(settings, list(pairs), raw.name)
    fixed = settings.cameras == "fixed"
    return [
        Frame(
            frame=pair,
            sequence=placed[pair].sequence,
            mount=_mount(pair) if fixed else pair,
            split=placed[pair].split,
            place="",
            time="",
            thermal=thermal,
            visible=visible,
            rig="cameras" if fixed else "",
        )
        for pair, (thermal, visible) in pairs.items()
    ]


def facts(settings: FoldersSettings, _raw: Path) -> Callable[[str], Facts]:
    """Facts that the user knows of all images."""
    return lambda _frame: Facts(scene=settings.scene)


def choose(settings: FoldersSettings, table: pd.DataFrame) -> pd.DataFrame:
    """Use every sound pair. Raises BadInput if images that are to share a transform differ in size."""
    sizes = usable(table).groupby("mount", sort=False)[["width", "height"]].nunique().max(axis=1)
    if (sizes > 1).any():
        mount = sizes.index[sizes > 1][0]
        raise BadInput(
            given=f"the images in {mount} have {sizes[mount]} sizes, and `cameras: fixed`",
            needed="one size where one transform serves all images",
            remedy="put each size into a subfolder of its own, or set `cameras: free`",
        )
    return table


def remarks(settings: FoldersSettings, table: pd.DataFrame) -> Sequence[str]:
    """Sizes of the splits, and a warning where they are too small to tell methods apart."""
    sound = usable(table)
    sequences = sound.groupby("split")["sequence"].nunique()
    sizes = [
        f"{split} has {int((sound['split'] == split).sum())} pairs in {sequences.get(split, 0)} "
        f"{'sequence' if sequences.get(split, 0) == 1 else 'sequences'}"
        for split in SPLITS
    ]
    told = [", ".join(sizes)]
    if sequences.get("test", 0) < TELLING:
        told.append(
            f"fewer than {TELLING} test sequences tell hardly any two methods apart: smaller blocks, or "
            "more recordings, give more"
        )
    return told


def described(settings: FoldersSettings, name: str) -> Dataset:
    """The record with the user's title, and whether transforms are estimated."""
    return replace(
        DATASET, title=settings.title or name, aligned=settings.cameras == "aligned", described=None
    )


def _placed(settings: FoldersSettings, pairs: Sequence[str], name: str) -> dict[str, Placed]:
    if settings.split == "blocks":
        return by_blocks(pairs, settings.block, name=name)
    if settings.split == "folders":
        return by_folders(pairs, settings.block, name=name)
    return by_table(pairs, settings.block, at_root(settings.split))


def _mount(pair: str) -> str:
    return subfolder_of(pair) or "all"


DATASET = Dataset(
    title="own pairs",
    citation="the user's own images",
    licence="the user's own",
    note="",
    settings=FoldersSettings,
    acquire=acquire,
    frames=frames,
    facts=facts,
    stills=False,
    upscale=True,
    choose=choose,
    remarks=remarks,
    described=described,
)
