"""The head of a cluster: what comes before the jobs, and what is made of their results."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from thermochroma.base.cells import counted
from thermochroma.base.errors import BadInput
from thermochroma.base.lock import exclusive_lock
from thermochroma.cluster import tasks
from thermochroma.cluster.commands import DVC, show
from thermochroma.cluster.costs import cost_table
from thermochroma.cluster.jobs import Job, prepared
from thermochroma.cluster.project import all_jobs, pack, refuse_changes, remote_of, unfinished
from thermochroma.cluster.tasks import Share
from thermochroma.cluster.work import Outcome

ON_ITS_WAY: Final = "cluster"
"""Folder beside the checkpoints of this machine, for those of the others."""


def run_lineup(
    root: Path,
    *,
    address: str,
    cpus: int,
    gpus: int | None,
    retries: int,
    every_seconds: float,
    checkpoints: Path,
    say: Callable[[str], object],
) -> None:
    """Bring the whole pipeline at `root` up to date, its trainings on a cluster.

    gpus: for each run; None: one where the cluster has any. checkpoints: their folder, below `root`.
    Raises BadInput for what cannot be begun, and at the end if a training failed.
    """
    ray = tasks.library()
    refuse_changes(root)
    remote = remote_of(root)
    with exclusive_lock(root / checkpoints / ON_ITS_WAY):
        tasks.connect(ray, address)
        try:
            machines = tasks.machines(ray)
            if gpus is None:
                gpus = int(any(one.get("GPU") for one in machines))
            tasks.refuse_too_much(machines, cpus=cpus, gpus=gpus)
            jobs = prepare(root)
            say(f"{counted(len(jobs), 'training')} on {counted(len(machines), 'machine')}")
            outcomes, starts = tasks.run_all(
                ray,
                jobs,
                pack(root, remote=remote, checkpoints=checkpoints),
                share=Share(cpus, gpus, retries, every_seconds),
                checkpoints=root / checkpoints / ON_ITS_WAY,
                say=say,
            )
        finally:
            ray.shutdown()
    if outcomes:
        say(f"\n{cost_table(outcomes, starts)}\n")
    render(root, outcomes)


def prepare(root: Path) -> list[Job]:
    """Run here whatever comes before the trainings, and push it; returns those that are not up to date."""
    jobs = all_jobs(root)
    if jobs:
        show(*DVC, "repro", "--pull", *prepared(jobs), folder=root)
        show(*DVC, "push", "--run-cache", "--with-deps", *prepared(jobs), folder=root)
    return unfinished(root, jobs)


def render(root: Path, outcomes: Sequence[Outcome]) -> None:
    """Take what was finished from the remote; tables and page follow if nothing has failed."""
    done = [one.job for one in outcomes if not one.failure]
    if done:
        names = [name for job in done for name in (job.train, job.evaluate)]
        show(*DVC, "repro", "--single-item", "--pull", *names, folder=root)
    failed = [one for one in outcomes if one.failure]
    if failed:
        told = "\n\n".join(f"{one.job.train}: {one.failure}" for one in failed)
        many = f"of {counted(len(outcomes), 'training')} {len(failed)} failed"
        raise BadInput(
            given=f"{many}:\n\n{told}\n\nThe others are finished",
            needed="all of them, before tables and page are made",
            remedy="mend what is said above and run the command again: what was finished is kept",
        )
    show(*DVC, "repro", "--pull", folder=root)
