"""The head of a cluster: what comes before the jobs, and what is made of their results."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from thermochroma.base.cells import counted
from thermochroma.base.errors import BadInput
from thermochroma.base.lock import exclusive_lock
from thermochroma.cluster import tasks
from thermochroma.cluster.commands import DVC, show
from thermochroma.cluster.costs import cost_table
from thermochroma.cluster.experiments import Experiment, Visit, queued
from thermochroma.cluster.jobs import Job
from thermochroma.cluster.project import (
    Project,
    all_jobs,
    pack,
    prepare,
    refuse_changes,
    remote_of,
    restore,
    unfinished,
)
from thermochroma.cluster.tasks import Share
from thermochroma.cluster.work import Outcome

ON_ITS_WAY: Final = "cluster"
"""Folder beside the checkpoints of this machine, for those of the others."""
THREADS: Final = "OMP_NUM_THREADS"
Say = Callable[[str], object]


@dataclass(frozen=True)
class Wish:
    """Settings of a run on a cluster.

    gpus: for each run; None: one where the cluster has any. checkpoints: their folder, below the project's.
    """

    address: str
    cpus: int
    gpus: int | None
    retries: int
    every_seconds: float
    checkpoints: Path


def run_lineup(root: Path, wish: Wish, *, say: Say) -> None:
    """Bring the whole pipeline at `root` up to date, its trainings on a cluster.

    Raises BadInput for what cannot be begun, and at the end if a training failed.
    """
    ray = tasks.library()
    refuse_changes(root)
    remote = remote_of(root)
    with _cluster(ray, root, wish) as run:
        everything = all_jobs(root)
        prepare(root, everything)
        jobs = unfinished(root, everything)
        project = pack(root, remote=remote, checkpoints=wish.checkpoints)
        outcomes = run(jobs, {"": project}, say)
    render(root, outcomes, threads=wish.cpus)


def run_queue(root: Path, wish: Wish, *, say: Say) -> None:
    """Run DVC's queue at `root`, the trainings on a cluster; each entry becomes an experiment as ever.

    Raises BadInput for what cannot be begun, and if a training failed: then the queue is left as it is.
    """
    ray = tasks.library()
    experiments = queued(root)
    visit = Visit(root, root / ".dvc/tmp/cluster/clone", wish.checkpoints)
    with _cluster(ray, root, wish) as run:
        found = {one.name: visit.jobs_of(one) for one in experiments}
        visit.leave()
        jobs = [job for of_one, _ in found.values() for job in of_one]
        outcomes = run(jobs, {name: project for name, (_, project) in found.items()}, say)
    conclude(root, visit, experiments, outcomes, threads=wish.cpus)


@contextmanager
def _cluster(
    ray: Any, root: Path, wish: Wish
) -> Iterator[Callable[[Sequence[Job], Mapping[str, Project], Say], list[Outcome]]]:
    """Join the cluster; give what does jobs there and tells how they ended."""
    kept = root / wish.checkpoints / ON_ITS_WAY
    with exclusive_lock(kept):
        tasks.connect(ray, wish.address)
        try:
            machines = tasks.machines(ray)
            gpus = wish.gpus
            if gpus is None:
                gpus = int(any(one.get("GPU") for one in machines))
            tasks.refuse_too_much(machines, cpus=wish.cpus, gpus=gpus)
            share = Share(wish.cpus, gpus, wish.retries, wish.every_seconds)

            def run(
                jobs: Sequence[Job], projects: Mapping[str, Project], say: Say
            ) -> list[Outcome]:
                say(f"{counted(len(jobs), 'training')} on {counted(len(machines), 'machine')}")
                outcomes, starts = tasks.run_all(
                    ray, jobs, projects, share=share, checkpoints=kept, say=say
                )
                if outcomes:
                    say(f"\n{cost_table(outcomes, starts)}\n")
                return outcomes

            yield run
        finally:
            ray.shutdown()


def render(root: Path, outcomes: Sequence[Outcome], *, threads: int = 1) -> None:
    """Take what was finished from the remote; tables and page follow if nothing has failed.

    threads: of the stages that run here; the last bits of baselines depend on it, as those of trainings do.
    """
    restore(root, [one.job for one in outcomes if not one.failure])
    _refuse_failed(outcomes, needed="all of them, before tables and page are made")
    show(*DVC, "repro", "--pull", folder=root, extra={THREADS: str(threads)})


def conclude(
    root: Path,
    visit: Visit,
    experiments: Sequence[Experiment],
    outcomes: Sequence[Outcome],
    *,
    threads: int = 1,
) -> None:
    """Take what was finished from the remote; DVC makes experiments of it if nothing has failed.

    threads: of the stages that run here.
    """
    done = [one.job for one in outcomes if not one.failure]
    for experiment in experiments:
        if jobs := [job for job in done if job.experiment == experiment.name]:
            visit.fetch(experiment, jobs)
    visit.leave()
    _refuse_failed(
        outcomes,
        needed="all of them, or DVC would train here what is missing",
        also=", or take the experiment out with `dvc queue remove`,",
    )
    show(*DVC, "exp", "run", "--run-all", folder=root, extra={THREADS: str(threads)})


def _refuse_failed(outcomes: Sequence[Outcome], *, needed: str, also: str = "") -> None:
    failed = [one for one in outcomes if one.failure]
    if failed:
        told = "\n\n".join(f"{one.job.name}: {one.failure}" for one in failed)
        many = f"of {counted(len(outcomes), 'training')} {len(failed)} failed"
        raise BadInput(
            given=f"{many}:\n\n{told}\n\nThe others are finished",
            needed=needed,
            remedy=f"mend what is said above{also} and run the command again: what was finished is kept",
        )
