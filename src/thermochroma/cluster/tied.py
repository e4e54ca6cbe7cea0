"""A Python module that ends with the process that started it; run as a file: `python tied.py dvc repro …`.

Standard input is a pipe whose other end that process alone holds. The system closes it however the process
ends, and then this one ends with all that it has started. The watch is a thread beside the command, not a
process between the two: where Ray's process on a machine is lost, the task's process kills its children
before it ends, but not theirs. So `dvc` has to be its child; a stage ends by itself when its `dvc` does
(decision 24).
"""

import os
import runpy
import sys
import threading
from contextlib import suppress
from pathlib import Path

import psutil


def main() -> None:
    """Run the module that the first word names, with the words behind it."""
    here = str(Path(__file__).parent)  # its modules have names that other packages use, too
    sys.path[:] = [folder for folder in sys.path if folder != here]
    pipe = os.dup(0)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)  # stages have no standard input
    threading.Thread(target=_end_with, args=(pipe,), daemon=True).start()
    runpy.run_module(sys.argv.pop(1), run_name="__main__", alter_sys=True)


def _end_with(pipe: int) -> None:
    while os.read(pipe, 1):
        pass
    for one in psutil.Process().children(recursive=True):
        with suppress(psutil.NoSuchProcess):  # it ended by itself meanwhile
            one.kill()
    os._exit(1)


if __name__ == "__main__":
    main()
