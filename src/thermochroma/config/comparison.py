"""Settings of the tables, figures and the page of one data set."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from thermochroma.config.entry import Entry
from thermochroma.config.evaluation import EvaluateSettings
from thermochroma.config.outside import OutsideEntry
from thermochroma.contract.dataset import Dataset


@dataclass(frozen=True)
class Comparison:
    """The rows of one data set's tables, and what is said beside them.

    side: of the crops, in pixels. entries: the line-up as it is trained here, in the order of tables.
    elsewhere: entries of the video line-up that cannot be trained here. outside: predictions made
    elsewhere, by the name of their row.
    """

    dataset: str
    record: Dataset
    seed: int
    side: int
    evaluate: EvaluateSettings
    entries: tuple[Entry, ...]
    elsewhere: tuple[Entry, ...]
    outside: Mapping[str, OutsideEntry] = field(default_factory=dict)
