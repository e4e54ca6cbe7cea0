"""Two folders of aligned images as crops, uncut: for scores of images that are in no data set here."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd
import torch
from tqdm import tqdm

from thermochroma.base.cells import counted
from thermochroma.base.decoding import decode
from thermochroma.base.errors import BadInput
from thermochroma.base.image_files import image_of_each
from thermochroma.base.images import GREY_TOLERANCE, ThermalImage, read_thermal, read_visible
from thermochroma.base.manifest import CROP_COLUMNS, write_table
from thermochroma.base.shards import new_shard
from thermochroma.evaluation.scoring import in_grey
from thermochroma.loading.crops import MANIFEST, Crops

SHARD: Final = "all.npy"


def pairs_as_crops(truth: Path, thermal: Path, folder: Path) -> Crops:
    """Write all pairs into `folder` as crops of the test split, each image a sequence of its own.

    Raises BadInput if the two folders do not hold images of equal names and of one size.
    """
    visible, warm = image_of_each(truth), image_of_each(thermal)
    _refuse_unlike(truth, thermal, [*visible], [*warm])
    names = [*visible]
    first = read_visible(truth / visible[names[0]])
    height, width = first.shape[:2]
    shape = len(names), height, width
    with (
        new_shard(folder / "visible" / SHARD, (*shape, 3)) as add_visible,
        new_shard(folder / "thermal" / SHARD, shape) as add_thermal,
    ):
        for name in tqdm(names, desc="pairs", unit="pair"):
            pair = truth / visible[name], thermal / warm[name]
            images = read_visible(pair[0]), read_nearly_grey(pair[1])
            for path, image in zip(pair, images, strict=True):
                _refuse_other_size(path, image, (height, width))
            add_visible(images[0])
            add_thermal(images[1])
    rows = [
        (name, name, "test", "", "", 0, "1 0 0 0 1 0", 1.0, 0, 0, SHARD, place, "")
        for place, name in enumerate(names)
    ]
    write_table(folder / MANIFEST, pd.DataFrame(rows, columns=list(CROP_COLUMNS)), CROP_COLUMNS)
    return Crops(folder)


def read_nearly_grey(path: Path) -> ThermalImage:
    """Read a thermal image; the luma of one whose channels differ by what lossy coding leaves.

    Raises BadInput for one in colour, and as `read_thermal` does.
    """
    pixels = decode(path)
    if pixels.dtype == np.uint8 and pixels.ndim == 3:
        levels = pixels.astype(np.int16)
        if int((levels.max(axis=2) - levels.min(axis=2)).max()) <= GREY_TOLERANCE:
            grey: ThermalImage = in_grey(torch.tensor(pixels).permute(2, 0, 1)[None])[0].numpy()
            return grey
    return read_thermal(path)


def _refuse_unlike(truth: Path, thermal: Path, visible: Sequence[str], warm: Sequence[str]) -> None:
    if visible and {*visible} == {*warm}:
        return
    for folder in (truth, thermal):
        if not folder.is_dir():
            raise BadInput(
                given=f"{folder} is no folder",
                needed="a folder of images",
                remedy="correct the path",
            )
    alone = sorted({*visible} ^ {*warm})
    given = (
        f"{counted(len(alone), 'image')} in one of the two alone, the first {alone[0]}"
        if alone
        else ""
    )
    raise BadInput(
        given=f"{truth} has {len(visible)} images and {thermal} {len(warm)}"
        + (f"; {given}" if given else ""),
        needed="at least one pair, whose two images have one name in both folders",
        remedy="correct the folders, or the names of the images",
    )


def _refuse_other_size(path: Path, image: np.ndarray, size: tuple[int, int]) -> None:
    if image.shape[:2] != size:
        raise BadInput(
            given=f"{path} is {image.shape[1]}x{image.shape[0]}, and the first image of the truth "
            f"{size[1]}x{size[0]}",
            needed="images of one size, so that all are scored alike",
            remedy="bring all pairs to one size, or score each size by itself",
        )
