"""What a data set is to us: where it comes from, its layout, its splits, its facts.

Each data set is one file in `sources/`, whose name is the data set's name and which ends with one
record `SOURCE`. Nothing else mentions it.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd
from jaxtyping import Float
from pydantic import BaseModel, ConfigDict, Field, FiniteFloat, model_validator

from thermochroma.base.plugins import names_in, refuse_unknown

Split = Literal["train", "validation", "test"]
Matrix = Float[np.ndarray, "2 3"]
"""An affine map of pixel centres, visible (x, y) to thermal (x, y), in raw pixels."""


class WindowTone(BaseModel):
    """Counts from `black` to `white` become 0 to 255, in the whole data set alike.

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
    """Each sequence has its own window: from the `low` to the `high` percentile of all its counts."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    kind: Literal["percentile"]
    low: float = Field(ge=0, le=100)
    high: float = Field(ge=0, le=100)

    @model_validator(mode="after")
    def _rises(self) -> "PercentileTone":
        if self.low >= self.high:
            raise ValueError("`low` must be less than `high`")
        return self


class SourceSettings(BaseModel):
    """What every data set's block under `sources:` may say; a source may add fields."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    source: str | None = None
    """A local folder or archive to take the data from instead of the published address."""
    on_defect: Literal["refuse", "drop"] = "refuse"
    """What a broken frame costs: the run (`refuse`), or only itself, with a reason (`drop`)."""
    image_size: tuple[int, int] | None = None
    """Width and height that every image must have, in pixels; null takes any."""
    tone: WindowTone | PercentileTone | None = Field(default=None, discriminator="kind")
    """How thermal images of more than 8 bits become 8 bits; null where there are none."""


@dataclass(frozen=True)
class Frame:
    """One instant seen by both cameras; paths are POSIX, below the raw folder."""

    frame: str
    sequence: str
    mount: str
    split: Split
    place: str
    time: str
    thermal: str
    visible: str
    rig: str = ""
    """Mounts of one rig may borrow its transform where their own frames give none; "" for no rig."""


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
    """What is known of a frame without looking at its visible image."""

    time: str = ""
    """"day", "night" or "" where unknown."""
    scene: str = "a street scene"
    """A phrase for the place, with its article."""
    details: tuple[str, ...] = ()
    """Further phrases, in the order in which the caption lists them."""


@dataclass(frozen=True)
class Source:
    """The record at the end of each file in `sources/`."""

    title: str
    citation: str
    licence: str
    note: str
    """Printed on every image and table made from the data; "" if nothing need be said."""
    settings: type[SourceSettings]
    acquire: Callable[[Any, Path], None]
    """(settings, raw folder): bring the files to disk in their authors' layout. Resumes; idempotent."""
    frames: Callable[[Any, Path], Sequence[Frame]]
    """(settings, raw folder): every frame that the layout names, in order, present or not."""
    facts: Callable[[Any, Path], Callable[[str], Facts]]
    """(settings, raw folder): a function from frame id to its facts; never opens a visible image."""
    stills: bool
    """True if neighbouring frames are unrelated images: each is registered by itself."""
    upscale: bool
    """True if an image smaller than the crop is enlarged to fit; False if that is a defect."""
    truth: Callable[[Path], Mapping[str, Matrix]] | None = None
    """The known transform of each mount, where there is one (drawn data only)."""
    boxes: Callable[[Any, Path], Callable[[str], Sequence[Box]]] | None = None
    """(settings, raw folder): a function from frame id to its annotated objects, where there are any.
    Annotators have seen both spectra: captions may use them on training frames only."""
    choose: Callable[[Any, pd.DataFrame], pd.DataFrame] | None = None
    """(settings, inspected table): the same table with `left_out` filled in, for a profile that
    selects among the usable frames. None uses them all."""
    remarks: Callable[[Any, pd.DataFrame], Sequence[str]] | None = None
    """(settings, inspected table): sentences on what differs from what is known of the data set
    (frames a sequence, totals); they warn and stop nothing."""


def source_names() -> list[str]:
    """The data sets there are: the file names in `sources/`."""
    return names_in("data/datasets")


def load_source(name: str) -> Source:
    """The record of the data set `name`. Raises BadInput for a name without a file."""
    refuse_unknown(name, source_names(), kind="data set", key="datasets")
    source: Source = import_module(f"thermochroma.data.datasets.{name}").SOURCE
    return source
