"""The head's book: which job began where, and the last checkpoint of each."""

import time
from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from pathlib import Path

from thermochroma.base.files import remove_folder, whole_folder
from thermochroma.cluster.checkpoints import Files, files_in, put_files


@dataclass(frozen=True)
class Start:
    """A beginning of a job. at: seconds of the clock."""

    node: str
    at: float


class Book(ABC):
    """Ledger as a worker needs it, wherever that is. Raises ConnectionError where it does not answer."""

    @abstractmethod
    def begin(self, job: str, node: str) -> int:
        """Note that a job begins; returns the number of this attempt, from 1 on."""

    @abstractmethod
    def holds(self, job: str, attempt: int) -> bool:
        """Whether no later attempt has begun: else the asker was taken for lost."""

    @abstractmethod
    def keep(self, job: str, attempt: int, files: Files) -> None:
        """Keep a checkpoint in the place of the one before."""

    @abstractmethod
    def kept(self, job: str) -> Files:
        """The last checkpoint of a job; empty if there is none."""


@dataclass
class Ledger(Book):
    """The book itself, with checkpoints in `folder`: they outlive the head."""

    folder: Path
    starts: dict[str, list[Start]] = field(default_factory=dict)

    def begin(self, job: str, node: str) -> int:
        """Note that a job begins; returns the number of this attempt, from 1 on."""
        starts = self.starts.setdefault(job, [])
        starts.append(Start(node, time.time()))
        return len(starts)

    def holds(self, job: str, attempt: int) -> bool:
        """Whether no later attempt has begun: else the asker was taken for lost."""
        return attempt == len(self.starts[job])

    def keep(self, job: str, attempt: int, files: Files) -> None:
        """Keep a checkpoint in the place of the one before, unless a later attempt has begun.

        Then the sender was taken for lost, and is not: what it has is the older one.
        """
        if self.holds(job, attempt):
            with whole_folder(self.folder / job) as part:
                put_files(files, part)

    def kept(self, job: str) -> Files:
        """The last checkpoint of a job; empty if there is none."""
        return files_in(self.folder / job)

    def forget(self, job: str) -> None:
        """Remove the checkpoint of a job that has ended."""
        if (self.folder / job).exists():
            remove_folder(self.folder / job)

    def begun(self) -> dict[str, list[Start]]:
        """All beginnings, by job."""
        return self.starts
