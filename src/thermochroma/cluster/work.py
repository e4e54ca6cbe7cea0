"""One job on a worker: a clone of its own, data from DVC's remote, results back to it."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from threading import Event, Thread
from typing import Final

from thermochroma.base.errors import BadInput
from thermochroma.base.files import remove_folder
from thermochroma.base.lock import exclusive_lock
from thermochroma.cluster.checkpoints import put_files, sending
from thermochroma.cluster.commands import TIED_DVC, Failed, Stopped, logged
from thermochroma.cluster.jobs import Job
from thermochroma.cluster.ledger import Book
from thermochroma.cluster.project import Project, make_clone

TRIES: Final = 3  # of a transfer: storage may be away for a moment
PAUSE_SECONDS: Final = 5.0
ASK_SECONDS: Final = 2.0
"""Time between two questions whether a job is still this worker's."""
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

    Goes on from the checkpoint in the book; what another worker has pushed is not run again. Once a later
    attempt has begun elsewhere, this one is ended, and pushes nothing.
    environment: variables for the stages. every_seconds: least time between two checkpoints sent.
    """
    done = Outcome(job, place.name, book.begin(job.name, place.name))
    clone, log = place.folder / job.name, place.folder / f"{job.name}.log"
    cache = place.folder / "cache"
    stop = Event()
    run = partial(logged, folder=clone, log=log, extra=project.environment | environment, stop=stop)
    holds = partial(book.holds, job.name, done.attempt)
    send = partial(book.keep, job.name, done.attempt)
    try:
        with exclusive_lock(clone), _asking(holds, stop):
            with _timed(done, "clone"):
                make_clone(project, clone, cache=cache, log=log)
                put_files(book.kept(job.name), clone / project.checkpoints)
            with exclusive_lock(cache, patience_seconds=PULL_SECONDS):
                # two that fill one cache at a time take each other's halves for whole
                _transfer(run, done, "pull", *job.needs)
            with sending(clone / project.checkpoints, send, every_seconds=every_seconds):
                _reproduce(job.train, run, done, step="train")
            _push(job.train, run, done, holds)  # at once: it is not lost any more
            _reproduce(job.evaluate, run, done, step="evaluate")
            _push(job.evaluate, run, done, holds)
            remove_folder(clone)
    except Stopped:
        done.failure = f"{place.name} was taken for lost: the job has begun again elsewhere"
    except ConnectionError as problem:
        done.failure = f"the head did not answer {place.name} ({problem})"
    except Failed as problem:
        done.failure = (
            f"`{problem.command}` failed: {problem.words}\n(all of it: {log} on {place.name})"
        )
    except BadInput as problem:
        done.failure = f"{problem} ({place.name})"
    return done


@contextmanager
def _asking(holds: Callable[[], bool], stop: Event) -> Iterator[None]:
    """Set `stop` when the job is no longer this worker's; ask while the block runs."""
    ended = Event()
    thread = Thread(target=_ask, args=(holds, stop, ended), daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def _ask(holds: Callable[[], bool], stop: Event, ended: Event) -> None:
    while not ended.wait(ASK_SECONDS):
        with suppress(ConnectionError):  # where the head stays away, Ray ends this process
            if not holds():
                stop.set()
                return


def _reproduce(stage: str, run: Callable[..., str], done: Outcome, *, step: str) -> None:
    """Bring one stage up to date, by results that others have pushed if there are any."""
    with _timed(done, step):
        said = run(*TIED_DVC, "repro", "--single-item", "--pull", stage)
    if f"Running stage '{stage}'" in said:
        done.ran.append(stage)


def _push(stage: str, run: Callable[..., str], done: Outcome, holds: Callable[[], bool]) -> None:
    """Leave what a stage has made in the remote, if the job is still this worker's."""
    if not holds():
        raise Stopped
    _transfer(run, done, "push", "--run-cache", stage)


def _transfer(run: Callable[..., str], done: Outcome, *words: str) -> None:
    """Pull or push, and again if the storage is away for a moment."""
    with _timed(done, words[0]):
        for _ in range(TRIES - 1):
            with suppress(Failed):
                run(*TIED_DVC, *words)
                return
            time.sleep(PAUSE_SECONDS)
        run(*TIED_DVC, *words)


@contextmanager
def _timed(done: Outcome, step: str) -> Iterator[None]:
    begin = time.monotonic()
    try:
        yield
    finally:
        done.seconds[step] = done.seconds.get(step, 0.0) + time.monotonic() - begin
