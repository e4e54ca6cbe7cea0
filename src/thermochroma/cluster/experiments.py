"""Experiments in DVC's queue: what has to be trained for each, and their results in DVC's cache."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from thermochroma.base.errors import BadInput
from thermochroma.base.files import remove_folder
from thermochroma.cluster.commands import DVC, show, told
from thermochroma.cluster.jobs import Job, prepared
from thermochroma.cluster.project import (
    Project,
    Remote,
    all_jobs,
    make_clone,
    pack,
    prepare,
    remote_of,
    restore,
    unfinished,
)

QUEUE: Final = "refs/exps/celery/stash"
"""Reference of git whose log DVC keeps its queue in, one commit for each experiment."""
ENTRY: Final = re.compile(r"([0-9a-f]+) .*dvc-exp:[0-9a-f]+:([0-9a-f]+):([^:]+)")


@dataclass(frozen=True)
class Experiment:
    """Experiment in DVC's queue. revision: commit that has its settings. baseline: commit it came from."""

    name: str
    revision: str
    baseline: str


def queued(root: Path) -> list[Experiment]:
    """The queue of the project at `root`, the oldest first. Raises BadInput if it is empty."""
    log = ""
    if told("git", "for-each-ref", QUEUE, folder=root):
        log = told("git", "reflog", "show", "--format=%H %gs", QUEUE, "--", folder=root)
    found = [entry.groups() for line in log.splitlines() if (entry := ENTRY.match(line))]
    if not found:
        raise BadInput(
            given="no experiment waits in DVC's queue",
            needed="one or more",
            remedy="`dvc exp run --queue -S <setting>=<values>`",
        )
    return [Experiment(name, revision, baseline) for revision, baseline, name in found[::-1]]


@dataclass(frozen=True)
class Visit:
    """A clone in which one experiment after another is looked at; it shares the project's cache of DVC."""

    root: Path
    clone: Path
    checkpoints: Path

    def jobs_of(self, experiment: Experiment) -> tuple[list[Job], Project]:
        """Prepare and push all that comes before the trainings; the jobs left, and the project for them."""
        remote = self._enter(experiment)
        jobs = all_jobs(self.clone)
        prepare(self.clone, jobs, raw=self.root)
        jobs = [replace(one, experiment=experiment.name) for one in unfinished(self.clone, jobs)]
        extra = {"DVC_EXP_NAME": experiment.name, "DVC_EXP_BASELINE_REV": experiment.baseline}
        project = pack(self.clone, remote=remote, checkpoints=self.checkpoints, extra=extra)
        return jobs, project

    def fetch(self, experiment: Experiment, jobs: Sequence[Job]) -> None:
        """Take from the remote what has been trained, into the project's cache."""
        self._enter(experiment)
        show(*DVC, "repro", "--pull", *prepared(jobs), folder=self.clone)
        restore(self.clone, jobs)

    def leave(self) -> None:
        """Remove the clone."""
        if self.clone.exists():
            remove_folder(self.clone)

    def _enter(self, experiment: Experiment) -> Remote:
        remote = remote_of(self.root)
        cache = Path(told(*DVC, "cache", "dir", folder=self.root).strip())
        project = pack(
            self.root, remote=remote, checkpoints=self.checkpoints, revision=experiment.revision
        )
        self.clone.parent.mkdir(parents=True, exist_ok=True)
        make_clone(project, self.clone, cache=cache, log=self.clone.with_suffix(".log"))
        show(*DVC, "checkout", "--quiet", "--allow-missing", folder=self.clone)
        return remote
