"""`dvc` in a copy of this process, which has imported it, in place of one that first imports for a second.

The copy has its own directory, environment, arguments, output and exit status, as a process of its own has.
"""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any, BinaryIO, NoReturn

import pytest

from tests.cluster import toy
from thermochroma.cluster import commands, tied
from thermochroma.cluster.commands import DVC, TIED_DVC

NEEDED = (  # what `dvc` imports when a command needs it
    *("dvc.cli.parser", "dvc.cachemgr", "dvc.data_cloud", "dvc.lock", "dvc.parsing", "dvc.rwlock"),
    *("dvc.repo.graph", "dvc.repo.index", "dvc.repo.init", "dvc.repo.pull", "dvc.repo.push"),
    *("dvc.repo.reproduce", "dvc.repo.stage", "dvc.repo.status", "dvc.repo.worktree"),
    *("dvc.stage.cache", "dvc.utils.strictyaml", "dvc_data.index.checkout", "dvc_data.index.push"),
    *("networkx", "rich.console", "scmrepo.git"),
)


Streams = tuple[BinaryIO | None, BinaryIO | None, BinaryIO | None]
"""Standard input, output and errors; none: those of this process."""


class Forking:
    """As much of `subprocess` as those call who run `dvc`; other commands are processes as ever."""

    def __getattr__(self, name: str) -> Any:
        return getattr(subprocess, name)

    def run(
        self, command: Sequence[Any], *, capture_output: bool = False, **how: Any
    ) -> subprocess.CompletedProcess:
        """Run a command; `dvc` in a copy of this process."""
        words = [str(word) for word in command]
        if tuple(words[: len(DVC)]) != DVC:
            return subprocess.run(command, capture_output=capture_output, **how)
        with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as error:
            streams = (out, error) if capture_output else (how.get("stdout"), how.get("stderr"))
            process = _forked(
                words[len(DVC) :], how.get("cwd"), how.get("env"), (None, *streams), _dvc
            )
            status = os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])
            said = [_read(stream) for stream in (out, error)]
        return subprocess.CompletedProcess(words, status, *said)

    def Popen(self, command: Sequence[Any], **how: Any) -> Any:  # noqa: N802  # as in `subprocess`
        """Start a command; `dvc` that is tied to its caller in a copy of this process."""
        words = [str(word) for word in command]
        if tuple(words[: len(TIED_DVC)]) != TIED_DVC:
            return subprocess.Popen(command, **how)
        return _Tied(words[len(TIED_DVC) :], **how)


class _Tied:
    """As much of `subprocess.Popen` as `commands` uses: it ends when its standard input is closed."""

    def __init__(self, words: list[str], **how: Any) -> None:
        self.returncode: int | None = None
        ours, self._pipe = os.pipe()
        with os.fdopen(ours, "rb") as stream:
            streams = (stream, how["stdout"], how["stderr"])
            self._process = _forked(words, how["cwd"], how["env"], streams, _tied_dvc, self._pipe)

    def __enter__(self) -> "_Tied":
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self._pipe)
        self.wait(float("inf"))

    def wait(self, seconds: float) -> int:
        until = time.monotonic() + seconds
        while self.returncode is None:
            done, status = os.waitpid(self._process, os.WNOHANG)
            if done:
                self.returncode = os.waitstatus_to_exitcode(status)
            elif time.monotonic() > until:
                raise subprocess.TimeoutExpired("dvc", seconds)
            else:
                time.sleep(0.01)
        return self.returncode


def use(patch: pytest.MonkeyPatch) -> None:
    """Let the cluster's commands, and those of its toy, fork `dvc`."""
    for name in NEEDED:
        import_module(name)
    import_module("dvc.cli.parser").get_main_parser()  # which imports all commands
    for module in (commands, toy):
        patch.setattr(module, "subprocess", Forking())


def _forked(
    words: list[str],
    folder: Path | None,
    environment: Mapping[str, str] | None,
    streams: Streams,
    command: Callable[[list[str]], int],
    *closed: int,
) -> int:
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    process = os.fork()
    if process == 0:
        for place in closed:
            os.close(place)
        _run_and_end(words, folder, environment, streams, command)
    return process


def _dvc(words: list[str]) -> int:
    sys.argv = ["dvc", *words]
    status: int = import_module("dvc.cli").main(words)
    return status


def _tied_dvc(words: list[str]) -> int:
    sys.argv = ["tied", "dvc", *words]
    try:
        tied.main()
    except SystemExit as end:
        return int(end.code or 0)
    return 0


def _run_and_end(
    words: list[str],
    folder: Path | None,
    environment: Mapping[str, str] | None,
    streams: Streams,
    command: Callable[[list[str]], int],
) -> NoReturn:
    code = 1
    try:
        captured = ((0,), (1, sys.stdout.fileno()), (2, sys.stderr.fileno()))  # by pytest, too
        for places, stream in zip(captured, streams, strict=True):
            for place in places if stream is not None else ():
                os.dup2(stream.fileno(), place)
        os.chdir(folder or ".")
        if environment is not None:
            os.environ.clear()
            os.environ.update(environment)
        code = command(words)
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def _read(stream: BinaryIO) -> str:
    stream.seek(0)
    return stream.read().decode()
