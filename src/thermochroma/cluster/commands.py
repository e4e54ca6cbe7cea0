"""Commands of git and DVC, each a process of its own."""

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from threading import Event
from typing import IO, Final

from thermochroma.base.errors import BadInput
from thermochroma.cluster import tied

DVC: Final = (sys.executable, "-m", "dvc")
TIED_DVC: Final = (sys.executable, str(Path(tied.__file__)), "dvc")
"""DVC that ends with the process that started it, and all stages with it."""
LOOK_SECONDS: Final = 0.5
LAST_WORDS: Final = 15
"""Lines of a failed command's output that are passed on."""


class Stopped(Exception):
    """A command that was ended because its result is not wanted any more."""


class Failed(Exception):
    """A command that ended with another status than 0, and its last words."""

    def __init__(self, command: str, words: str) -> None:
        self.command, self.words = command, words
        super().__init__(command, words)


def told(*command: str, folder: Path) -> str:
    """Run a command; returns what it prints on standard output. Raises BadInput if it fails."""
    program = shutil.which(command[0])
    words = f"there is no {command[0]} on PATH"
    if program is not None:
        call = [program, *command[1:]]
        done = subprocess.run(call, cwd=folder, capture_output=True, text=True, check=False)
        if done.returncode == 0:
            return done.stdout
        words = " ".join(_last_words(done.stderr).split())
    raise BadInput(
        given=f"`{_shown(command)}` failed in {folder} ({words})",
        needed="the project's folder: a git clone in which DVC works",
        remedy="mend what it says, or run the command in the project's folder",
    )


def show(*command: str, folder: Path, extra: Mapping[str, str] | None = None) -> None:
    """Run a command that tells the user by itself what it does. Raises BadInput if it fails.

    extra: variables beside those of this process.
    """
    if subprocess.run(command, cwd=folder, env=_environment(extra or {}), check=False).returncode:
        raise BadInput(
            given=f"`{_shown(command)}` failed, see above",
            needed="a pipeline whose stages run",
            remedy="mend what it says, then run the command again: what was finished is kept",
        )


def logged(
    *command: str, folder: Path, log: Path, extra: Mapping[str, str], stop: Event | None = None
) -> str:
    """Run a command with its output behind that in `log`; returns its own part of it.

    A tied one ends with this process, however that ends. extra: variables beside those of this process.
    stop: ends a tied command once it is set. Raises Stopped then, and Failed if the command fails.
    """
    stop = stop or Event()
    with log.open("ab") as stream:
        stream.write(f"$ {_shown(command)}\n".encode())
        stream.flush()
        begin = stream.tell()
        status = _status(
            [shutil.which(command[0]) or command[0], *command[1:]],
            cwd=folder,
            env=_environment(extra),
            output=stream,
            stop=stop,
        )
    with log.open("rb") as stream:
        stream.seek(begin)
        said = stream.read().decode("utf-8", errors="replace")
    if stop.is_set():
        raise Stopped
    if status:
        raise Failed(_shown(command), _last_words(said))
    return said


def _status(
    command: Sequence[str], *, cwd: Path, env: dict[str, str], output: IO[bytes], stop: Event
) -> int:
    """Status of a command; its standard input is closed when `stop` is set, which ends a tied one."""
    with subprocess.Popen(
        command, cwd=cwd, env=env, stdin=subprocess.PIPE, stdout=output, stderr=output
    ) as process:
        while not stop.is_set():
            with suppress(subprocess.TimeoutExpired):
                return process.wait(LOOK_SECONDS)
    return process.returncode


def _environment(extra: Mapping[str, str]) -> dict[str, str]:
    """Take this process's variables, with its own Python first on PATH: stages are started as `python`."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}"
    return {**os.environ, "PATH": path, "DVC_NO_ANALYTICS": "1", **extra}


def _last_words(said: str) -> str:
    lines = [line.rpartition("\r")[2].rstrip() for line in said.splitlines()]
    return "\n".join([line for line in lines if line][-LAST_WORDS:])


def _shown(command: tuple[str, ...]) -> str:
    """A command as a person would type it."""
    for dvc in (DVC, TIED_DVC):
        if command[: len(dvc)] == dvc:
            return " ".join(("dvc", *command[len(dvc) :]))
    return " ".join(command)
