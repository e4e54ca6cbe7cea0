"""Parts of a table: rows as input, and parts, columns, lines and cells as printed."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Literal, TypeAlias, get_args

import pandas as pd

Kind: TypeAlias = Literal["method", "entry", "probe", "trivial", "oracle"]
"""Kind of a row. entry: predictions that were made elsewhere, of which nothing was trained here."""
KINDS: Final[tuple[Kind, ...]] = get_args(Kind)
"""Kinds in the order of tables."""
COMPETING: Final[tuple[Kind, ...]] = ("method", "entry")
"""Kinds of rows that are tested against the reference and against each other."""
Measured: TypeAlias = int | float | str | None
NEEDS_VIDEO: Final = "needs video"
WITH_INTERVAL: Final = ("ssim", "psnr")
MAIN: Final = (
    "ms_ssim",
    "ciede2000",
    "psnr_ab",
    "colourfulness_difference",
    "gradient_correlation",
)
STRUCTURE: Final = ("edges_kept", "edges_f")
TOLERANT: Final = ("psnr_shift", "ssim_shift", "psnr_gain", "ssim_gain")
UNIFORM: Final = "ssim_7u"
SCORED: Final = (*WITH_INTERVAL, *MAIN, UNIFORM, *TOLERANT, *STRUCTURE)
"""Scores that have a column, in the order in which the caption defines them."""


@dataclass(frozen=True)
class Row:
    """Data of one row: its scores, one line per image, and its cost if it was measured.

    scores: columns frame, sequence, place, time and all of `SCORES`. cost: keys of `COST`; of an entry,
    what is claimed.
    """

    title: str
    kind: Kind
    scores: pd.DataFrame
    cost: Mapping[str, Measured] | None = None
    note: str = ""
    """Note on the row below the table; rows may share one."""
    sharper_than: str = ""
    """Name of the row of the same weights at the next lower sharpness; "" for all others."""
    deviation: str = ""
    """Difference between its settings and the paper, for a note with the names of the rows."""
    flicker: float | None = None
    """Flicker of its video, in levels, on the test split; None without video."""
    runs: tuple[pd.DataFrame, ...] = ()
    """Scores of each run of a block trained with several seeds; `scores` are then their means."""
    snapshots: tuple[pd.DataFrame, ...] = ()
    """Scores of each run's snapshots and of its end: columns of `scores`, and images."""
    distances: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    """Values of FID and KID over its images, by split; empty where they were not taken."""


@dataclass(frozen=True)
class About:
    """Facts about a table that its caption and notes state.

    frozen: where the weights of the frozen networks of training come from. reference: the row that methods
    are tested against. predicted: the spectrum. split: "" for images without one. size: the width in
    pixels. true_flicker: flicker of the true video, in levels. needs_video: methods that cannot be trained
    on this data set, name to title.
    """

    dataset: str
    title: str
    note: str
    split: str
    size: int
    frozen: str
    reference: str = "mean_colour"
    predicted: Literal["visible", "thermal"] = "visible"
    true_flicker: float | None = None
    height: int | None = None
    """Height in pixels where it differs from the width, `size`."""
    needs_video: Mapping[str, str] = field(default_factory=dict)

    @property
    def label(self) -> str:
        """Label of this data set, split and direction, unique among the tables of a project."""
        seen = {"visible": "thermal", "thermal": "visible"}[self.predicted]
        named = [part for part in (self.dataset, self.split) if part]
        return f"{'-'.join(named)}-{seen}-to-{self.predicted}"


@dataclass(frozen=True)
class Cell:
    """Value, its text, and its interval if it has one. An empty cell has None and ""."""

    value: Measured = None
    text: str = ""
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True)
class Column:
    """Column of a table. interval: whether its cells have one."""

    key: str
    heading: str
    interval: bool = False


@dataclass(frozen=True)
class Part:
    """Columns of a table under one title, as many as fit on a page. key: its name in labels."""

    key: str
    title: str
    columns: tuple[Column, ...]


@dataclass(frozen=True)
class Line:
    """Row of a table, ready to print."""

    name: str
    title: str
    kind: Kind
    cells: Mapping[str, Cell]
    sharper_than: str = ""


@dataclass(frozen=True)
class Table:
    """Table, ready to print; a missing cell of a line is shown empty.

    label: with a part's key, its unique label in LaTeX. title: its subject, in a sentence or two.
    definitions: all else that a reader needs to check it.
    """

    dataset: str
    label: str
    title: str
    definitions: str
    parts: tuple[Part, ...]
    lines: tuple[Line, ...]
    notes: tuple[str, ...] = field(default=())

    @property
    def caption(self) -> str:
        """Title and definitions, for the text beside the table."""
        return f"{self.title} {self.definitions}"


@dataclass(frozen=True)
class Quantity:
    """Title, unit and scale of a measured cost, which is shown as value x scale in `unit`."""

    title: str
    unit: str = ""
    scale: float = 1.0


COST: Final[dict[str, Quantity]] = {
    "parameters": Quantity("Parameters", "M", 1e-6),
    "multiply_adds": Quantity("Multiply-adds at 256×256", "G", 1e-9),
    "latency_median_ms": Quantity("Latency, batch 1, median", "ms"),
    "latency_p95_ms": Quantity("Latency, batch 1, 95th percentile", "ms"),
    "training_images_per_second": Quantity("Training", "images/s"),
    "peak_memory_bytes": Quantity("Peak memory", "MiB", 1 / 2**20),
    "device": Quantity("Device"),
}
