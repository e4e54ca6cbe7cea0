"""Jobs as tasks of Ray: who does them, and again if a machine is lost."""

import os
import socket
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from platformdirs import user_cache_path

from thermochroma.base.cells import counted
from thermochroma.base.errors import BadInput
from thermochroma.base.reading import quote
from thermochroma.cluster.checkpoints import Files
from thermochroma.cluster.jobs import Job
from thermochroma.cluster.ledger import Book, Ledger, Start
from thermochroma.cluster.project import Project
from thermochroma.cluster.work import Outcome, Place, work

EXTRA: Final = "cluster"  # of pyproject.toml
FOLDER: Final = "THERMOCHROMA_CLUSTER"
"""Variable of a machine: its folder for clones, their cache and logs."""
POLL_SECONDS: Final = 2.0
ANSWER_SECONDS: Final = 10.0
OWN_WORDS: Final = "ray.log"
"""File for what Ray prints by itself: a machine that is lost makes it pages."""


@dataclass(frozen=True)
class Share:
    """Part of a machine for one run. retries: after the first. every_seconds: between checkpoints."""

    cpus: int
    gpus: int
    retries: int
    every_seconds: float


def library() -> Any:
    """Ray, told to report nothing. Raises BadInput if it is not installed."""
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    try:
        import ray
    except ImportError:
        raise BadInput(
            given="a cluster is asked for, and the package ray is missing",
            needed="Ray, which runs tasks on several machines",
            remedy=f"`pip install 'thermochroma[{EXTRA}]'` on each of them",
        ) from None
    return ray


def connect(ray: Any, address: str) -> None:
    """Join a cluster that runs already. Raises BadInput if there is none."""
    remedy = (
        "`ray start --head` here and `ray start --address=<this machine>:6379` on the others, "
        "or correct the address"
    )
    needed = "a cluster of Ray that this machine is part of"
    if address.startswith("ray://"):
        raise BadInput(given=f"{address} is reached from outside", needed=needed, remedy=remedy)
    try:
        if address != "auto":  # where nobody answers, Ray tries for ten minutes and more
            host, _, port = address.rpartition(":")
            socket.create_connection((host, int(port)), ANSWER_SECONDS).close()
        ray.init(address=address, log_to_driver=False, logging_level="ERROR")
    except (OSError, OverflowError, RuntimeError, ValueError) as problem:
        raise BadInput(
            given=f"no cluster answers at {address} ({quote(problem)})",
            needed=needed,
            remedy=remedy,
        ) from problem


def refuse_too_much(machines: Sequence[dict[str, Any]], *, cpus: int, gpus: int) -> None:
    """Raise BadInput if no machine has what one run is to take: its task would wait for ever."""
    have = [(int(one.get("CPU", 0)), int(one.get("GPU", 0))) for one in machines]
    if not any(cores >= cpus and cards >= gpus for cores, cards in have):
        listed = ", ".join(f"{cores} and {cards}" for cores, cards in have)
        raise BadInput(
            given=f"each run is to have {counted(cpus, 'processor')} and {counted(gpus, 'GPU')}",
            needed=f"a machine with as many; the cluster's have {listed}",
            remedy="choose `--cpus-per-run` and `--gpus-per-run` by it, or let a larger machine join",
        )


def machines(ray: Any) -> list[dict[str, Any]]:
    """Resources of each machine of the cluster."""
    return [node["Resources"] for node in ray.nodes() if node["Alive"]]


def run_all(
    ray: Any,
    jobs: Sequence[Job],
    projects: Mapping[str, Project],
    *,
    share: Share,
    checkpoints: Path,
    say: Callable[[str], object],
) -> tuple[list[Outcome], dict[str, list[Start]]]:
    """Do all jobs; how each ended, and where each began. One that fails stops no other.

    projects: by experiment. checkpoints: folder of this machine in which they are kept on their way.
    say: a function that does not look for `sys.stdout` when it is called.
    """
    with (checkpoints / OWN_WORDS).open("a", encoding="utf-8") as log, redirect_stdout(log):
        book = _ledger(ray, checkpoints)
        sent = {name: ray.put(project) for name, project in projects.items()}
        task = ray.remote(_task)
        waiting = {
            task.options(
                name=job.name,
                num_cpus=share.cpus,
                num_gpus=share.gpus,
                max_retries=share.retries,
                retry_exceptions=False,
            ).remote(job, sent[job.experiment], book, share): job
            for job in jobs
        }
        outcomes: list[Outcome] = []
        told: dict[str, int] = {}
        while waiting:
            ended, _ = ray.wait([*waiting], num_returns=1, timeout=POLL_SECONDS)
            _tell_starts(ray.get(book.begun.remote()), told, say)
            for reference in ended:
                outcome = _outcome(ray, reference, waiting.pop(reference))
                outcomes.append(outcome)
                if not outcome.failure:
                    ray.get(book.forget.remote(outcome.job.name))
                say(_ending(outcome))
        return outcomes, ray.get(book.begun.remote())


def _ledger(ray: Any, folder: Path) -> Any:
    """The book as an actor on this machine, whose disk it writes."""
    from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

    here = NodeAffinitySchedulingStrategy(ray.get_runtime_context().get_node_id(), soft=False)
    actor = ray.remote(Ledger).options(num_cpus=0, scheduling_strategy=here)
    return actor.remote(folder)


class _FarBook(Book):
    """The ledger as a worker sees it.

    Answers are not waited for by `ray.get`: Ray would lend the waiting task's processor to another one.
    """

    def __init__(self, ray: Any, actor: Any) -> None:
        self._ray, self._actor = ray, actor

    def begin(self, job: str, node: str) -> int:
        number: int = self._answer(self._actor.begin.remote(job, node))
        return number

    def holds(self, job: str, attempt: int) -> bool:
        mine: bool = self._answer(self._actor.holds.remote(job, attempt))
        return mine

    def keep(self, job: str, attempt: int, files: Files) -> None:
        self._answer(self._actor.keep.remote(job, attempt, files))

    def kept(self, job: str) -> Files:
        files: Files = self._answer(self._actor.kept.remote(job))
        return files

    def _answer(self, asked: Any) -> Any:
        try:
            return asked.future().result()
        except self._ray.exceptions.RayActorError as problem:
            raise ConnectionError(quote(problem)) from problem


def _task(job: Job, project: Project, actor: Any, share: Share) -> Outcome:
    """The work of one task, in a process of Ray's on any machine."""
    ray = library()
    base = os.environ.get(FOLDER) or user_cache_path("thermochroma") / "cluster"
    name = f"{socket.gethostname()} {ray.get_runtime_context().get_node_id()[:6]}"
    environment = {"OMP_NUM_THREADS": str(share.cpus)}
    if share.gpus > 1:
        environment["THERMOCHROMA_PROCESSES"] = str(share.gpus)
    return work(
        job,
        project,
        _FarBook(ray, actor),
        Place(name, Path(base).absolute() / project.place),
        environment=environment,
        every_seconds=share.every_seconds,
    )


def _outcome(ray: Any, reference: Any, job: Job) -> Outcome:
    try:
        outcome: Outcome = ray.get(reference)
    except ray.exceptions.RayError as problem:
        return Outcome(job, failure=quote(problem))
    return outcome


def _tell_starts(
    starts: dict[str, list[Start]], told: dict[str, int], say: Callable[[str], object]
) -> None:
    for job, all_of_it in starts.items():
        for number, start in enumerate(all_of_it[told.get(job, 0) :], told.get(job, 0) + 1):
            again = "" if number == 1 else f" once more (attempt {number}); the one before is lost"
            say(
                f"{time.strftime('%H:%M:%S', time.localtime(start.at))} {job}: began on {start.node}{again}"
            )
        told[job] = len(all_of_it)


def _ending(outcome: Outcome) -> str:
    took = f"{sum(outcome.seconds.values()):.0f} s"
    how = "failed" if outcome.failure else "done"
    where = outcome.node or "no machine"
    return f"{time.strftime('%H:%M:%S')} {outcome.job.name}: {how} on {where}, {took}"
