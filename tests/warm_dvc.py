"""`dvc` whose stages begin as copies of its own process, which has imported the large packages once.

A stage imports torch, MLflow and pandas for three to eight seconds before its first line does anything,
and a `dvc repro` has twenty of them. Here each still runs in a process of its own below `dvc`, with its
own directory, environment, arguments and exit status, and imports this project's modules itself; only
what comes from the package index is there already. `dvc` is the first argument, since a stage looks for
it among the processes above.

One process serves a whole test: each line that it reads is a command, in JSON, which a copy of it runs
in the directory and the environment of the process; see `Warm` in tests/tiny_project.py.
"""

import atexit
import gc
import json
import os
import re
import runpy
import shlex
import subprocess
import sys
import threading
from collections.abc import Callable
from importlib import import_module
from types import SimpleNamespace
from typing import Any, NoReturn

LARGE = (
    "albumentations",
    "cv2",
    "matplotlib.pyplot",
    "mlflow.store.tracking.sqlalchemy_store",
    "mlflow.tracking",
    "pandas",
    "scipy.stats",
    "torch._dynamo",  # what the first optimizer imports
    "transformers.models.clip",
)


class Forked:
    """As much of `subprocess.Popen` as DVC uses, of a stage that begins in a copy of this process."""

    def __init__(self, words: list[str], *, cwd: str, env: dict[str, str]) -> None:
        self.returncode: int | None = None
        sys.stdout.flush()
        sys.stderr.flush()
        self.pid = os.fork()
        if self.pid == 0:
            os.chdir(cwd)
            os.environ.clear()
            os.environ.update(env)
            sys.path.insert(0, cwd)
            sys.argv = words
            _run_and_end(words[0])

    def communicate(self) -> None:
        """Wait for the stage's end."""
        _, status = os.waitpid(self.pid, 0)
        self.returncode = os.waitstatus_to_exitcode(status)


def start(command: list[str], **how: Any) -> Any:
    """Start what DVC hands to a shell; another command than `python -m` runs in the shell."""
    program, option, *words = shlex.split(_with_values(command[-1], how["env"]))
    if (program, option) != ("python", "-m"):
        return subprocess.Popen(command, **how)
    return Forked(words, cwd=how["cwd"], env=how["env"])


def _with_values(command: str, environment: dict[str, str]) -> str:
    """A command with the values of its variables, nothing where one is not set, as in a shell."""
    return re.sub(r"\$(\w+)", lambda found: environment.get(found[1], ""), command)


def _run_and_end(module: str) -> NoReturn:
    """Run a module as `python -m` does, to the end of the process."""
    atexit._clear()  # what `dvc` would do at its own end
    _end_with(lambda: runpy.run_module(module, run_name="__main__", alter_sys=True))


def _end_with(work: Callable[[], object]) -> NoReturn:
    """Do this and end the process, as the interpreter ends it."""
    code: object = None
    try:
        work()
    except SystemExit as end:
        code = end.code
    except BaseException:
        sys.excepthook(*sys.exc_info())  # type: ignore[arg-type]  # there is one
        code = 1
    if isinstance(code, str):
        sys.stderr.write(f"{code}\n")
    threading._shutdown()  # type: ignore[attr-defined]  # as the interpreter does: it waits for threads
    atexit._run_exitfuncs()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code if isinstance(code, int) else int(code is not None))


def _serve(run: Callable[[list[str]], int]) -> None:
    """Run each command in a copy of this process; tell its number at once, and its status at its end."""
    for line in sys.stdin:
        command = json.loads(line)
        process = os.fork()
        if process == 0:
            sys.argv = ["dvc", *command["arguments"]]
            _print_to(command["printed"])
            _end_with(lambda: sys.exit(run(sys.argv[1:])))
        _say(process)
        _say(os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]))


def _print_to(path: str) -> None:
    """Let what this process and its children print go to a file."""
    with open(path, "wb", buffering=0) as file:  # noqa: PTH123
        for stream in (1, 2):
            os.dup2(file.fileno(), stream)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)


def _say(number: int) -> None:
    sys.stdout.write(f"{number}\n")
    sys.stdout.flush()


def main() -> None:
    """Import what is large, and serve DVC's command line."""
    sys.path.pop(0)  # the tests' folder has names of its own
    gc.disable()
    for name in LARGE:
        import_module(name)
    from dvc.cli import main as dvc
    from dvc.stage import run

    gc.freeze()  # it stays, in each copy
    gc.enable()
    run.subprocess = SimpleNamespace(Popen=start)  # type: ignore[assignment]
    _serve(dvc)


if __name__ == "__main__":
    main()
