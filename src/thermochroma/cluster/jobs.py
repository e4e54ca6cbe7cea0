"""Trainings as tasks of a cluster: each with its evaluation, without those that are up to date."""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Job:
    """A training and the evaluation behind it, by the names of their stages in dvc.yaml.

    needs: stages whose outputs the two read. experiment: one of DVC's queue; empty for the project itself.
    """

    train: str
    evaluate: str
    needs: tuple[str, ...] = ()
    experiment: str = ""

    @property
    def name(self) -> str:
        """Name that no other job has, fit for a file."""
        return f"{self.experiment}.{self.train}" if self.experiment else self.train


def needs_in(dot: str) -> dict[str, list[str]]:
    """The stages that each stage depends on directly, by what `dvc dag --dot` prints."""
    edges: list[tuple[str, str]] = re.findall(r'^"(.+)" -> "(.+)";$', dot, re.MULTILINE)
    needs: dict[str, list[str]] = {
        name: [] for name in re.findall(r'^"([^"]+)";$', dot, re.MULTILINE)
    }
    for before, after in edges:
        needs[after].append(before)
    return needs


def jobs_in(needs: Mapping[str, Sequence[str]]) -> list[Job]:
    """All trainings among the stages, from the last one on, as `make repro` takes them."""
    jobs = []
    for train in reversed([name for name in needs if name.startswith("train")]):
        evaluate = train.replace("train", "evaluate", 1)
        both = dict.fromkeys([*needs[train], *needs[evaluate]])
        jobs.append(Job(train, evaluate, tuple(name for name in both if name != train)))
    return jobs


def prepared(jobs: Sequence[Job]) -> list[str]:
    """All stages that some job needs, each once."""
    return [*dict.fromkeys(name for job in jobs for name in job.needs)]


def to_do(jobs: Sequence[Job], changed: Collection[str]) -> list[Job]:
    """The jobs of which something has to run. changed: names of stages that are not up to date."""
    return [job for job in jobs if job.train in changed or job.evaluate in changed]
