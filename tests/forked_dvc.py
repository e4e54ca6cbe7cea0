"""`dvc` in a copy of this process, which has imported it, in place of one that first imports for a second.

The copy has its own directory, environment, arguments, output and exit status, as a process of its own has.
"""

import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any, BinaryIO, NoReturn

import pytest

from tests.cluster import toy
from thermochroma.cluster import commands
from thermochroma.cluster.commands import DVC, TIED

NEEDED = (  # what `dvc` imports when a command needs it
    *("dvc.cli.parser", "dvc.cachemgr", "dvc.data_cloud", "dvc.lock", "dvc.parsing", "dvc.rwlock"),
    *("dvc.repo.graph", "dvc.repo.index", "dvc.repo.init", "dvc.repo.pull", "dvc.repo.push"),
    *("dvc.repo.reproduce", "dvc.repo.stage", "dvc.repo.status", "dvc.repo.worktree"),
    *("dvc.stage.cache", "dvc.utils.strictyaml", "dvc_data.index.checkout", "dvc_data.index.push"),
    *("networkx", "rich.console", "scmrepo.git"),
)


class Forking:
    """As much of `subprocess` as those call who run `dvc`; other commands are processes as ever."""

    def __getattr__(self, name: str) -> Any:
        return getattr(subprocess, name)

    def run(
        self, command: Sequence[Any], *, capture_output: bool = False, **how: Any
    ) -> subprocess.CompletedProcess:
        """Run a command; `dvc` in a copy of this process, also behind the tie to its caller."""
        words = [str(word) for word in command]
        if words[2:3] == [TIED]:
            words = words[4:]
        if tuple(words[: len(DVC)]) != DVC:
            return subprocess.run(command, capture_output=capture_output, **how)
        with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as error:
            streams = (out, error) if capture_output else (how.get("stdout"), how.get("stderr"))
            status = _forked(words[len(DVC) :], how.get("cwd"), how.get("env"), streams)
            said = [_read(stream) for stream in (out, error)]
        return subprocess.CompletedProcess(words, status, *said)


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
    streams: tuple[BinaryIO | None, BinaryIO | None],
) -> int:
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    process = os.fork()
    if process == 0:
        _run_and_end(words, folder, environment, streams)
    return os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])


def _run_and_end(
    words: list[str],
    folder: Path | None,
    environment: Mapping[str, str] | None,
    streams: tuple[BinaryIO | None, BinaryIO | None],
) -> NoReturn:
    code = 1
    try:
        for number, ours, stream in zip((1, 2), (sys.stdout, sys.stderr), streams, strict=True):
            if stream is not None:
                for place in {number, ours.fileno()}:  # pytest's file for what is printed, too
                    os.dup2(stream.fileno(), place)
        os.chdir(folder or ".")
        if environment is not None:
            os.environ.clear()
            os.environ.update(environment)
        sys.argv = ["dvc", *words]
        code = import_module("dvc.cli").main(words)
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def _read(stream: BinaryIO) -> str:
    stream.seek(0)
    return stream.read().decode()
