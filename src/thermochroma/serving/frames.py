"""Frames of a data set as image files, for whoever translates them with other programs."""

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
from tqdm import tqdm

from thermochroma.base.errors import BadInput
from thermochroma.base.files import whole_folder
from thermochroma.base.frame_files import file_names
from thermochroma.base.images import write_image
from thermochroma.contract.dataset import whole_datasets
from thermochroma.loading.crops import MANIFEST, Crops

LIST = "frames.csv"
"""Name of the table of the files: the frame and the sequence of each, in the order of time."""


def open_crops(folder: Path, dataset: str) -> Crops:
    """Open the crops of a data set. Raises BadInput if they have not been made yet."""
    if not (folder / MANIFEST).exists():
        raise BadInput(
            given=f"{folder} holds no crops of {dataset}",
            needed="the frames as every method is shown them",
            remedy=f"add {dataset} to `datasets` in params.yaml, run `dvc repro baselines@{dataset}`, "
            "and run the command again in the project's folder",
        )
    return Crops(folder)


def write_frames(crops: Crops, *, split: str, seen: str, folder: Path, truth: Path | None) -> int:
    """Write each frame of one split as PNG, and a list of them. Returns how many there are.

    seen: the spectrum of the images. truth: a folder for those of the other spectrum, or None. Raises
    BadInput if a folder holds something already.
    """
    rows = crops.split(split)
    names = file_names(rows["frame"])
    spectra = {folder: seen}
    if truth is not None:
        spectra[truth] = {"thermal": "visible", "visible": "thermal"}[seen]
        _refuse_one_place(folder, truth)
    for place in spectra:
        _refuse_used(place)
    for place, spectrum in spectra.items():
        _write(place, rows, names, partial(crops.image, spectrum))
    return len(rows)


def _write(
    folder: Path,
    rows: pd.DataFrame,
    names: Mapping[str, str],
    image: Callable[[pd.Series], np.ndarray],
) -> None:
    """Write the images of one spectrum, all or none."""
    with whole_folder(folder) as part:
        for _, row in tqdm(rows.iterrows(), total=len(rows), desc=folder.name, unit="image"):
            write_image(part / names[str(row["frame"])], np.asarray(image(row)))
        table = rows[["frame", "sequence"]]
        table.insert(0, "file", [names[frame] for frame in rows["frame"]])
        table.to_csv(part / LIST, index=False)


def _refuse_used(folder: Path) -> None:
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise BadInput(
            given=f"{folder} exists and is not an empty folder",
            needed="a folder of their own for the frames",
            remedy="name a new one, or empty this one yourself",
        )


def _refuse_one_place(folder: Path, truth: Path) -> None:
    one, other = folder.resolve(), truth.resolve()
    if one == other or one in other.parents or other in one.parents:
        raise BadInput(
            given=f"{folder} and {truth} are one folder, or one lies in the other",
            needed="two folders apart: what a translator is given holds no truth",
            remedy="name another folder for the truth",
        )


def crops_in(data: Path, dataset: str) -> Crops:
    """Open the crops of a data set below a project's data. Raises BadInput for a name without any."""
    below = data / "crops"
    cut = [path.name for path in below.iterdir() if path.is_dir()] if below.is_dir() else []
    if dataset not in cut and dataset not in (whole := whole_datasets()):
        known = sorted({*whole, *cut})
        raise BadInput(
            given=f"there is no data set `{dataset}`",
            needed=f"one of {', '.join(known)}",
            remedy="correct --dataset; data of your own have crops after `dvc repro crop@NAME`",
        )
    return open_crops(below / dataset, dataset)
