"""What a table is made of: rows that come in, and parts, columns, lines and cells that are printed."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Literal, TypeAlias

import pandas as pd

Kind: TypeAlias = Literal["method", "trivial", "oracle"]
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
"""Every score that has a column, in the order in which the caption defines them."""


@dataclass(frozen=True)
class Row:
    """What is known of one row: its scores, one line an image, and its cost where it has one.

    scores: columns frame, sequence, place, time and all of `SCORES`. cost: keys of `COST`.
    """

    title: str
    kind: Kind
    scores: pd.DataFrame
    cost: Mapping[str, Measured] | None = None
    note: str = ""
    """What must be said of it below the table; rows may share one note."""
    flicker: float | None = None
    """Of its video, in levels, on the test split; None where there is none."""
    runs: tuple[pd.DataFrame, ...] = ()
    """Of a block trained under several seeds, the scores of each run; `scores` are then their means."""
    snapshots: tuple[pd.DataFrame, ...] = ()
    """Of each run, the scores of its snapshots and of its end: columns of `scores`, and images."""
    distances: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    """By split, FID and KID over its images; empty where they were not taken."""


@dataclass(frozen=True)
class About:
    """What must be said beside the numbers.

    weights: those of the frozen networks. reference: the row that methods are tested against. predicted:
    the spectrum. true_flicker: of the true video, in levels. needs_video: methods that this data set
    cannot teach, by name, with their titles.
    """

    dataset: str
    title: str
    note: str
    split: str
    size: int
    weights: Literal["random", "pretrained"]
    reference: str = "mean_colour"
    predicted: Literal["visible", "thermal"] = "visible"
    true_flicker: float | None = None
    needs_video: Mapping[str, str] = field(default_factory=dict)

    @property
    def label(self) -> str:
        """Of this data set, split and direction: no two tables of a project share it."""
        seen = {"visible": "thermal", "thermal": "visible"}[self.predicted]
        return f"{self.dataset}-{self.split}-{seen}-to-{self.predicted}"


@dataclass(frozen=True)
class Cell:
    """A value with the text that shows it; an interval where it has one. Empty: None and ""."""

    value: Measured = None
    text: str = ""
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True)
class Column:
    """interval: whether its cells carry one."""

    key: str
    heading: str
    interval: bool = False


@dataclass(frozen=True)
class Part:
    """Some columns of the table under one title: as many as a page takes. key: in labels."""

    key: str
    title: str
    columns: tuple[Column, ...]


@dataclass(frozen=True)
class Line:
    """One row, ready to print."""

    name: str
    title: str
    kind: Kind
    cells: Mapping[str, Cell]


@dataclass(frozen=True)
class Table:
    """A table ready to print; a line that lacks a cell shows it empty.

    label: what LaTeX calls it, together with a part's key; no other table has it. title: what it is of,
    in a sentence or two. definitions: all else that a reader needs to check it.
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
        """What must stand beside the table."""
        return f"{self.title} {self.definitions}"


@dataclass(frozen=True)
class Quantity:
    """A measured cost: shown as value x scale in `unit`."""

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
