"""Interface of a data set: its origin, its layout, its splits, its facts.

Each data set is one file in `data/datasets/`, whose name is the data set's name and which ends with
one record `DATASET`. Nothing else mentions it.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
import pandas as pd
from jaxtyping import Float
from pydantic import BaseModel, ConfigDict, Field, FiniteFloat, model_validator

from thermochroma.base.plugins import names_in, refuse_unknown
from thermochroma.contract.paths import UserPath

Split = Literal["train", "validation", "test"]
Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
"""SHA-256 of a file, in hexadecimal."""
Matrix = Float[np.ndarray, "2 3"]
"""An affine map of pixel centres, visible (x, y) to thermal (x, y), in raw pixels."""


class WindowTone(BaseModel):
    """One window for the whole data set: counts from `black` to `white` become 0 to 255.

    clahe: contrast is then evened out inside each image. The unit is the images' own: counts, or
    kelvin for images of floats.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    kind: Literal["window", "clahe"]
    black: FiniteFloat
    white: FiniteFloat

    @model_validator(mode="after")
    def _rises(self) -> "WindowTone":
        if self.black >= self.white:
            raise ValueError("`black` must be less than `white`")
        return self


class PercentileTone(BaseModel):
    """One window per sequence: from the `low` to the `high` percentile of all its counts."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    kind: Literal["percentile"]
    low: float = Field(ge=0, le=100)
    high: float = Field(ge=0, le=100)

    @model_validator(mode="after")
    def _rises(self) -> "PercentileTone":
        if self.low >= self.high:
            raise ValueError("`low` must be less than `high`")
        return self


class DatasetSettings(BaseModel):
    """Fields that every data set's block under `sources:` may have; a data set may add fields."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: str | None = None
    """File in `data/datasets/` that reads the data; null: the one with the data set's own name."""
    source: UserPath | None = None
    """Path of a local folder or archive to take the data from instead of the published address."""
    on_defect: Literal["refuse", "drop"] = "refuse"
    """Consequence of a broken frame: `refuse` stops the run, `drop` leaves the frame out and notes why."""
    image_size: tuple[int, int] | None = None
    """Width and height that every image must have, in pixels; null takes any."""
    tone: WindowTone | PercentileTone | None = Field(default=None, discriminator="kind")
    """Mapping of thermal images of more than 8 bits to 8 bits; null where there are none."""


@dataclass(frozen=True)
class Frame:
    """One instant seen by both cameras; paths are POSIX, relative to the raw folder."""

    frame: str
    sequence: str
    mount: str
    split: Split
    place: str
    time: str
    thermal: str
    visible: str
    rig: str = ""
    """Name of the rig, whose transform serves mounts where their own frames give none; "" for no rig."""


@dataclass(frozen=True)
class Box:
    """One annotated object, in raw visible pixels: left and top edge, width, height."""

    label: str
    left: float
    top: float
    width: float
    height: float


@dataclass(frozen=True)
class Facts:
    """Facts about a frame that are known without looking at its visible image."""

    time: str = ""
    """Time of day: "day", "night" or "" where unknown."""
    scene: str = "a street scene"
    """A phrase for the place, with its article."""
    details: tuple[str, ...] = ()
    """Further phrases, in the order in which the caption lists them."""


@dataclass(frozen=True)
class Dataset:
    """The record at the end of each file in `data/datasets/`."""

    title: str
    citation: str
    licence: str
    note: str
    """Note printed on every image and table made from the data; "" for none."""
    settings: type[DatasetSettings]
    acquire: Callable[[Any, Path], None]
    """Function (settings, raw folder) that brings the files to disk in their authors' layout. It resumes
    after an interruption and is idempotent."""
    frames: Callable[[Any, Path], Sequence[Frame]]
    """Function (settings, raw folder) to every frame that the layout names, in order, present or not."""
    facts: Callable[[Any, Path], Callable[[str], Facts]]
    """Function (settings, raw folder) to a function from frame id to its facts; never opens a visible
    image."""
    stills: bool
    """Whether neighbouring frames are unrelated images: each is then registered by itself."""
    upscale: bool
    """Whether an image smaller than the crop is enlarged to fit; if not, it is a defect."""
    truth: Callable[[Path], Mapping[str, Matrix]] | None = None
    """Function (raw folder) to the known transform of each mount; only the drawn sample has it."""
    boxes: Callable[[Any, Path], Callable[[str], Sequence[Box]]] | None = None
    """Function (settings, raw folder) to a function from frame id to its annotated objects, if there are
    any. Annotators have seen both spectra: captions may use them on training frames only."""
    choose: Callable[[Any, pd.DataFrame], pd.DataFrame] | None = None
    """Function (settings, inspected table) to the same table with `left_out` filled in, for a profile
    that selects among the usable frames. None uses them all."""
    drawn: bool = False
    """Whether a program draws the scenes: scores then check that the pipeline works, and rank nothing."""
    remarks: Callable[[Any, pd.DataFrame], Sequence[str]] | None = None
    """Function (settings, inspected table) to sentences on differences from the data set's published
    numbers (frames per sequence, totals); they warn and stop nothing."""
    aligned: bool = False
    """Whether the two images of each frame are taken to lie on each other: no transform is estimated."""
    described: Callable[[Any, str], "Dataset"] | None = None
    """Function (settings, name) to this record as a user's settings describe the data, for a kind of data
    that serves several data sets. None: the record is the same for all settings."""


def dataset_names() -> list[str]:
    """Names of all data sets: the file names in `data/datasets/`."""
    return names_in("data/datasets")


def whole_datasets() -> list[str]:
    """Names that stand for a data set by themselves; not those of kinds, which serve a user's own data."""
    return [name for name in dataset_names() if load_dataset(name).described is None]


def load_dataset(name: str, *, key: str = "datasets") -> Dataset:
    """Load the record in the file `name`. Raises BadInput for a name without a file.

    key: where in params.yaml the name stands.
    """
    refuse_unknown(name, dataset_names(), kind="data set", key=key)
    record: Dataset = import_module(f"thermochroma.data.datasets.{name}").DATASET
    return record


def describe(name: str, settings: DatasetSettings) -> Dataset:
    """Load the record of the data set `name`, as its settings describe it."""
    record = load_dataset(settings.kind or name)
    return record.described(settings, name) if record.described else record
