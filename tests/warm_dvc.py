"""`dvc` whose stages begin as copies of its own process, which has imported the large packages once.

A stage imports torch, MLflow and pandas for three to eight seconds before its first line does anything,
and a `dvc repro` has twenty of them. Here each still runs in a process of its own below `dvc`, with its
own directory, environment, arguments and exit status, and imports this project's modules itself; only
what comes from the package index is there already. `dvc` is the first argument, since a stage looks for
it among the processes above.
"""

import atexit
import os
import runpy
import shlex
import subprocess
import sys
import threading
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
    program, option, *words = shlex.split(command[-1])
    if (program, option) != ("python", "-m"):
        return subprocess.Popen(command, **how)
    return Forked(words, cwd=how["cwd"], env=how["env"])


def _run_and_end(module: str) -> NoReturn:
    """Run a module as `python -m` does, to the end of the process."""
    atexit._clear()  # what `dvc` would do at its own end
    code: object = None
    try:
        runpy.run_module(module, run_name="__main__", alter_sys=True)
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


def main() -> None:
    """Run DVC's command line."""
    sys.path.pop(0)  # the tests' folder has names of its own
    for name in LARGE:
        import_module(name)
    from dvc.cli import main as dvc
    from dvc.stage import run

    run.subprocess = SimpleNamespace(Popen=start)  # type: ignore[assignment]
    sys.argv = sys.argv[1:]
    sys.exit(dvc(sys.argv[1:]))


if __name__ == "__main__":
    main()
