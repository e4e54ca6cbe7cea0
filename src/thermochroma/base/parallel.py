"""Many small tasks on all cores, with results in the order of the tasks."""

import multiprocessing
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from threading import Thread
from typing import TypeVar

import cv2

Task = TypeVar("Task")
Result = TypeVar("Result")


def in_order(
    function: Callable[[Task], Result],  # at module level, so that other processes can import it
    tasks: Sequence[Task],
    *,
    workers: int,  # processes; 1 works in this one
) -> Iterator[Result]:
    """Yield the result of `function` for each task, OpenCV on one thread; raises what it raises."""
    if workers == 1 or len(tasks) < 2:
        with _one_thread():
            yield from map(function, tasks)
        return
    # Forked from a fresh server: a fork of this process would copy locks that its threads hold.
    forks = "forkserver" in multiprocessing.get_all_start_methods()  # Windows starts each anew
    server = multiprocessing.get_context("forkserver" if forks else "spawn")
    if forks:
        server.set_forkserver_preload([function.__module__])
    with ProcessPoolExecutor(min(workers, len(tasks)), server, initializer=_start_worker) as pool:
        yield from pool.map(function, tasks)


def _start_worker() -> None:
    """Use one thread, and exit when the parent process ends, even if it is killed."""
    cv2.setNumThreads(1)
    parent = multiprocessing.parent_process()

    def leave_with_parent() -> None:
        if parent is not None:
            parent.join()
            os._exit(1)

    Thread(target=leave_with_parent, daemon=True).start()


@contextmanager
def _one_thread() -> Iterator[None]:
    threads = cv2.getNumThreads()
    cv2.setNumThreads(1)
    try:
        yield
    finally:
        cv2.setNumThreads(threads)
