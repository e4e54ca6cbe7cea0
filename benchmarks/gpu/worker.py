"""Measurements in a process of their own: one that takes too long, or dies, costs its own result alone."""

import sys
import traceback
from importlib import import_module
from multiprocessing import get_context
from multiprocessing.connection import Connection
from types import TracebackType
from typing import Any

FAILED = "failed"
"""Key of a result that is none: why, in a sentence."""
PATIENCE = 10.0  # seconds for a process to end by itself


class Worker:
    """One process after another, each for as many measurements as end well in it."""

    def __init__(self) -> None:
        self._context = get_context("spawn")  # a forked one could not use CUDA
        self._process: Any = None
        self._pipe: Connection | None = None
        self._hangs = False

    def __enter__(self) -> "Worker":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        problem: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.end()

    def __call__(self, work: str, *arguments: Any, limit: float) -> dict[str, Any]:
        """What a function (`module:name`) returns, or why it failed. limit: seconds until it is killed."""
        if self._pipe is None:
            self._begin()
        assert self._pipe is not None
        found = self._ask(self._pipe, (work, arguments), limit)
        if FAILED in found:
            self.end()  # what is left on the device may be broken, or fill it
        return found

    def end(self) -> None:
        """End the process, if there is one: it is killed if it does not notice soon."""
        if self._process is not None and self._pipe is not None:
            self._pipe.close()
            self._process.join(0.0 if self._hangs else PATIENCE)
            self._process.kill()
            self._process.join()
        self._process = self._pipe = None

    def _begin(self) -> None:
        self._pipe, theirs = self._context.Pipe()
        self._process = self._context.Process(target=_serve, args=(theirs,), daemon=False)
        self._process.start()
        self._hangs = False
        theirs.close()

    def _ask(self, pipe: Connection, task: Any, limit: float) -> dict[str, Any]:
        try:
            pipe.send(task)
            if not pipe.poll(limit):
                self._hangs = True
                return {FAILED: f"it took longer than {limit:.0f} s"}
            found: dict[str, Any] = pipe.recv()
        except (EOFError, OSError):
            self._process.join()
            return {FAILED: f"its process died with status {self._process.exitcode}"}
        return found


def _serve(pipe: Connection) -> None:
    """Answer until the other end is closed."""
    while True:
        try:
            work, arguments = pipe.recv()
        except (EOFError, KeyboardInterrupt):
            return
        try:
            module, name = work.split(":")
            found = getattr(import_module(module), name)(*arguments)
        except KeyboardInterrupt:
            return
        except Exception as problem:  # the other measurements go on; the table says why
            sys.stderr.write(traceback.format_exc())
            found = {FAILED: in_words(problem)}
        pipe.send(found)


def in_words(problem: BaseException) -> str:
    """Kind and first line of what was raised."""
    lines = str(problem).strip().splitlines()
    return f"{type(problem).__name__}: {lines[0][:200]}" if lines else type(problem).__name__
