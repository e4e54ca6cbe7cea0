"""Commands of git and DVC, each a process of its own."""

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from thermochroma.base.errors import BadInput

DVC: Final = (sys.executable, "-m", "dvc")
TIED: Final = """
import os, subprocess, sys
import psutil

parent = int(sys.argv[1])
command = subprocess.Popen(sys.argv[2:])
while True:
    try:
        sys.exit(command.wait(0.5))
    except subprocess.TimeoutExpired:
        if psutil.pid_exists(parent) and (os.name == "nt" or os.getppid() == parent):
            continue
    for one in (*psutil.Process(command.pid).children(recursive=True), command):
        try:
            one.kill()
        except psutil.NoSuchProcess:
            pass
    sys.exit(1)
"""
"""Program that runs the command behind a process's number, and kills it, with all that it started, within
half a second of that process's end.

A task's process may be killed while its machine lives; its training would go on, for nobody. The system's
own signal at a parent's end would reach `dvc`, and not the stage below it.
"""
LAST_WORDS: Final = 15
"""Lines of a failed command's output that are passed on."""


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


def show(*command: str, folder: Path) -> None:
    """Run a command that tells the user by itself what it does. Raises BadInput if it fails."""
    if subprocess.run(command, cwd=folder, env=_environment({}), check=False).returncode:
        raise BadInput(
            given=f"`{_shown(command)}` failed, see above",
            needed="a pipeline whose stages run",
            remedy="mend what it says, then run the command again: what was finished is kept",
        )


def logged(*command: str, folder: Path, log: Path, extra: Mapping[str, str]) -> str:
    """Run a command with its output behind that in `log`; returns its own part of it.

    It ends with this process, however that ends. extra: variables beside those of this process.
    Raises Failed if it fails.
    """
    tie = (sys.executable, "-c", TIED, str(os.getpid()))
    program = shutil.which(command[0]) or command[0]
    with log.open("ab") as stream:
        stream.write(f"$ {_shown(command)}\n".encode())
        stream.flush()
        begin = stream.tell()
        status = subprocess.run(
            [*tie, program, *command[1:]],
            cwd=folder,
            env=_environment(extra),
            stdout=stream,
            stderr=stream,
            check=False,
        ).returncode
    with log.open("rb") as stream:
        stream.seek(begin)
        said = stream.read().decode("utf-8", errors="replace")
    if status:
        raise Failed(_shown(command), _last_words(said))
    return said


def _environment(extra: Mapping[str, str]) -> dict[str, str]:
    """Take this process's variables, with its own Python first on PATH: stages are started as `python`."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}"
    return {**os.environ, "PATH": path, "DVC_NO_ANALYTICS": "1", **extra}


def _last_words(said: str) -> str:
    lines = [line.rpartition("\r")[2].rstrip() for line in said.splitlines()]
    return "\n".join([line for line in lines if line][-LAST_WORDS:])


def _shown(command: tuple[str, ...]) -> str:
    """A command as a person would type it."""
    words = ("dvc", *command[len(DVC) :]) if command[: len(DVC)] == DVC else command
    return " ".join(words)
