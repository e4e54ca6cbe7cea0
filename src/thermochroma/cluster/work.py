"""One job on a worker: a clone of its own, data from DVC's remote, results back to it."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Final

from thermochroma.base.errors import BadInput
from thermochroma.base.files import remove_folder
from thermochroma.base.lock import exclusive_lock
from thermochroma.cluster.checkpoints import put_files, sending
from thermochroma.cluster.commands import DVC, Failed, logged
from thermochroma.cluster.jobs import Job
from thermochroma.cluster.ledger import Book
from thermochroma.cluster.project import Project, make_clone

TRIES: Final = 3  # of a transfer: storage may be away for a moment
PAUSE_SECONDS: Final = 5.0
PULL_SECONDS: Final = 24 * 3600.0
"""Time to wait for another job of this machine that is pulling the same data."""


@dataclass(frozen=True)
class Place:
    """Machine on which a job is done. name: for people. folder: for clones, their cache and logs."""

    name: str
    folder: Path


@dataclass
class Outcome:
    """End of a job. seconds: by step. ran: stages that were not restored. failure: empty if none."""

    job: Job
    node: str = ""
    attempt: int = 0
    seconds: dict[str, float] = field(default_factory=dict)
    ran: list[str] = field(default_factory=list)
    failure: str = ""


def work(
    job: Job,
    project: Project,
    book: Book,
    place: Place,
    *,
    environment: dict[str, str],
    every_seconds: float,
) -> Outcome:
    """Train and evaluate in a new clone; leave the results in the remote, and nothing else here but a log.

    Goes on from the checkpoint in the book; what another worker has pushed is not run again.
    environment: variables for the stages. every_seconds: least time between two checkpoints sent.
    """
    done = Outcome(job, place.name, book.begin(job.train, place.name))
    clone, log = place.folder / job.train, place.folder / f"{job.train}.log"
    cache = place.folder / "cache"
    run = partial(logged, folder=clone, log=log, extra=project.environment | environment)
    send = partial(book.keep, job.train, done.attempt)
    try:
        with exclusive_lock(clone):
            with _timed(done, "clone"):
                make_clone(project, clone, cache=cache, log=log)
                put_files(book.kept(job.train), clone / project.checkpoints)
            with exclusive_lock(cache, patience_seconds=PULL_SECONDS):
                # two that fill one cache at a time take each other's halves for whole
                _transfer(run, done, "pull", *job.needs)
            with sending(clone / project.checkpoints, send, every_seconds=every_seconds):
                _reproduce(job.train, run, done, step="train")
            _transfer(
                run, done, "push", "--run-cache", job.train
            )  # at once: what has been trained is not lost any more
            _reproduce(job.evaluate, run, done, step="evaluate")
            _transfer(run, done, "push", "--run-cache", job.evaluate)
            remove_folder(clone)
    except Failed as problem:
        done.failure = (
            f"`{problem.command}` failed: {problem.words}\n(all of it: {log} on {place.name})"
        )
    except BadInput as problem:
        done.failure = f"{problem} ({place.name})"
    return done


def _reproduce(stage: str, run: Callable[..., str], done: Outcome, *, step: str) -> None:
    """Bring one stage up to date, by results that others have pushed if there are any."""
    with _timed(done, step):
        said = run(*DVC, "repro", "--single-item", "--pull", stage)
    if f"Running stage '{stage}'" in said:
        done.ran.append(stage)


def _transfer(run: Callable[..., str], done: Outcome, *words: str) -> None:
    """Pull or push, and again if the storage is away for a moment."""
    with _timed(done, words[0]):
        for _ in range(TRIES - 1):
            with suppress(Failed):
                run(*DVC, *words)
                return
            time.sleep(PAUSE_SECONDS)
        run(*DVC, *words)


@contextmanager
def _timed(done: Outcome, step: str) -> Iterator[None]:
    begin = time.monotonic()
    try:
        yield
    finally:
        done.seconds[step] = done.seconds.get(step, 0.0) + time.monotonic() - begin
