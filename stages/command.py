"""From a stage's function to its command line, and from what goes wrong to one sentence."""

import inspect
import os
import threading
import time
from argparse import ArgumentParser
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import psutil

from thermochroma.base.endings import one_sentence

AGAIN = "run `dvc repro` again: what was finished is kept"


def run(main: Callable[..., None]) -> None:
    """Call `main` with its parameters as options: `--name value`, of type str or Path.

    What a user can mend ends with one sentence and status 1.
    """
    parser = ArgumentParser(description=inspect.getdoc(main))
    for name, parameter in inspect.signature(main, eval_str=True).parameters.items():
        parser.add_argument(f"--{name}", type=parameter.annotation, required=True)
    arguments = vars(parser.parse_args())
    end_with_dvc()
    with one_sentence(again=AGAIN):
        main(**arguments)


def end_with_dvc() -> None:
    """End this process when the `dvc` that started it is killed, so that none is left behind.

    Left alone, it would go on writing while the next `dvc repro` does the same work.
    """
    above = psutil.Process().parents()
    place = next((n for n, one in enumerate(above) if _is_dvc(one)), None)
    if "DVC_STAGE" in os.environ and place is not None:
        chain = above[: place + 1]
        threading.Thread(target=_watch, args=(chain,), daemon=True).start()


def _watch(chain: list[psutil.Process]) -> None:
    while all(_lives(one) for one in chain):
        time.sleep(0.5)
    for child in psutil.Process().children(recursive=True):
        with suppress(psutil.NoSuchProcess):  # it ended by itself meanwhile
            child.kill()
    os._exit(1)


def _lives(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:  # it ended between the two questions
        return False


def _is_dvc(process: psutil.Process) -> bool:
    try:
        return any(Path(word).name == "dvc" for word in process.cmdline()[:3])
    except psutil.Error:
        return False
