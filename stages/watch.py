"""End of a stage by its `dvc` or by Ctrl-C: looked for from the first line on, before anything heavy loads.

Left alone, a stage would go on writing while the next `dvc repro` does the same work, and what it makes
would be thrown away.
"""

import os
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path
from types import TracebackType

import psutil

AGAIN = "run `dvc repro` again: what was finished is kept"


def say_interrupted() -> None:
    """Let Ctrl-C end this process with one sentence, while it imports too."""
    sys.excepthook = _told


def end_with_dvc() -> None:
    """End this process when the `dvc` that started it ends, and now if it has ended already.

    A launcher (THERMOCHROMA_LAUNCH) may run a stage where no `dvc` is above, as on another machine. One
    process of several ends with the one that started it, too.
    """
    launched = "THERMOCHROMA_LAUNCHED" in os.environ
    if "DVC_STAGE" not in os.environ and not launched:
        return
    processes = above()
    if chain := up_to_dvc(processes) or processes[:launched]:
        threading.Thread(target=_watch, args=(chain,), daemon=True).start()
    elif not os.environ.get("THERMOCHROMA_LAUNCH"):
        sys.exit(
            "thermochroma: DVC_STAGE is set, but no `dvc` runs above this process: it has been ended; "
            "run `dvc repro` again, or unset DVC_STAGE to run a stage by hand."
        )


def above() -> list[psutil.Process]:
    """The processes above this one, the nearest first."""
    while True:
        with suppress(psutil.NoSuchProcess):  # one of them ended between two questions: ask anew
            return psutil.Process().parents()


def up_to_dvc(processes: list[psutil.Process]) -> list[psutil.Process]:
    """The processes up to the nearest `dvc`; none if it is not among them."""
    place = next((n for n, one in enumerate(processes) if is_dvc(one)), None)
    return [] if place is None else processes[: place + 1]


def is_dvc(process: psutil.Process) -> bool:
    """Whether a process runs `dvc`, as a script or as a module."""
    try:
        return any(Path(word).name == "dvc" for word in process.cmdline()[:3])
    except psutil.Error:  # another user's, or it has ended
        return False


def lives(process: psutil.Process) -> bool:
    """Whether a process runs and is no zombie."""
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:  # it ended between the two questions
        return False


def _told(kind: type[BaseException], problem: BaseException, trace: TracebackType | None) -> None:
    if issubclass(kind, KeyboardInterrupt):
        sys.stderr.write(f"\nthermochroma: interrupted; {AGAIN}.\n")
    else:
        sys.__excepthook__(kind, problem, trace)


def _watch(chain: list[psutil.Process]) -> None:
    while all(map(lives, chain)):
        time.sleep(0.5)
    with suppress(psutil.Error):
        for child in psutil.Process().children(recursive=True):
            with suppress(psutil.NoSuchProcess):  # it ended by itself meanwhile
                child.kill()
    os._exit(1)
