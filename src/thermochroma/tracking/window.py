"""A training seen through a window: whatever goes wrong with MLflow is said, and costs no training."""

import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Concatenate, ParamSpec

from tqdm import tqdm

from thermochroma.base.errors import BadInput
from thermochroma.base.reading import quote
from thermochroma.tracking.faults import AGAIN
from thermochroma.tracking.mlflow_client import Tracker, Training

P = ParamSpec("P")


@contextmanager
def open_window(
    experiment: str, fingerprint: str, *, root: Path, name: str, tags: Mapping[str, str]
) -> Iterator["Window"]:
    """Record a training in MLflow, as `Tracker.training` does, as long as MLflow can.

    What is raised inside is raised again; nothing that MLflow raises is.
    """
    window = Window(
        lambda: Tracker(experiment, root=root).training(fingerprint, name=name, tags=tags)
    )
    try:
        yield window
    except BaseException as problem:
        window.close(problem)
        raise
    window.close(None)


def _shown(
    method: Callable[Concatenate[Training, P], None],
) -> Callable[Concatenate["Window", P], None]:
    """Make a window's method of one of the run: it tells the open run, unless there was a fault before."""

    def show(window: "Window", /, *args: P.args, **kwargs: P.kwargs) -> None:
        if window.fault is None:
            window.show(lambda run: method(run, *args, **kwargs))

    return show


class Window:
    """The run of a training, open until the first fault of MLflow.

    The first fault is said; then the window is shut, so that a server that does not answer is not
    waited for again and again. At the end it says how MLflow is filled in.
    """

    log_params = _shown(Training.log_params)
    log_rows = _shown(Training.log_rows)
    log_panel = _shown(Training.log_panel)
    log_origin = _shown(Training.log_origin)
    log_model = _shown(Training.log_model)

    def __init__(self, begin: Callable[[], AbstractContextManager[Training]]) -> None:
        self.fault: str | None = None
        self._context: AbstractContextManager[Training] | None = None
        self._run: Training | None = None
        with self._guarded():
            self._context = begin()
            self._run = self._context.__enter__()

    def show(self, tell: Callable[[Training], None]) -> None:
        """Tell the run, if there is one."""
        if self._run is not None:
            with self._guarded():
                tell(self._run)

    def finish(self, weights_sha256: str) -> None:
        """Log the hash of the final weights; tried behind a fault too, for by it `track` finds the run."""
        self.show(lambda run: run.finish(weights_sha256))

    def close(self, problem: BaseException | None) -> None:
        """End the run. problem: what ended the training, if it did not end well."""
        if self._run is not None and self._context is not None:
            with self._guarded(problem):
                self._context.__exit__(
                    type(problem) if problem else None,
                    problem,
                    problem.__traceback__ if problem else None,
                )
        if self.fault is not None:
            _say(
                f"MLflow lacks a part of this training; once it can be used, `{AGAIN}` fills it in"
            )

    @contextmanager
    def _guarded(self, expected: BaseException | None = None) -> Iterator[None]:
        """Say the first fault; `expected` is what the training has raised, and passes here in silence."""
        try:
            yield
        except Exception as problem:
            if problem is not expected and self.fault is None:
                self.fault = problem.given if isinstance(problem, BadInput) else quote(problem)
                _say(f"the training goes on, but MLflow is no longer told: {self.fault}")


def _say(sentence: str) -> None:
    tqdm.write(f"thermochroma: {sentence}.", file=sys.stderr)
