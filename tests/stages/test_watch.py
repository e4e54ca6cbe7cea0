"""A stage never outlives its `dvc`, from its first line on."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any, cast

import psutil
import pytest

from stages import watch
from tests.conftest import ROOT

STAGE = "import stages, sys; assert 'torch' not in sys.modules; {}"
FAKE_DVC = """#!/bin/sh
"{python}" -c "{stage}" &
{then}
"""


def _environment(**more: str) -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(ROOT), "DVC_STAGE": "train", **more}


def _stage(**more: str) -> subprocess.CompletedProcess[str]:
    """A stage that no `dvc` is above."""
    command = [sys.executable, "-c", STAGE.format("print('went on')")]
    return subprocess.run(
        command, env=_environment(**more), capture_output=True, text=True, check=False
    )


def test_a_stage_whose_dvc_has_ended_already_ends_at_once() -> None:
    done = _stage()
    assert (done.returncode, done.stdout) == (1, "")
    assert "no `dvc` runs above" in done.stderr
    assert done.stderr.count("\n") == 1


def test_a_launcher_may_leave_dvc_on_another_machine() -> None:
    done = _stage(THERMOCHROMA_LAUNCH="srun")
    assert (done.returncode, done.stdout) == (0, "went on\n")


def test_ctrl_c_while_it_imports_is_one_sentence() -> None:
    command = [sys.executable, "-c", STAGE.format("raise KeyboardInterrupt")]
    environment = {name: value for name, value in _environment().items() if name != "DVC_STAGE"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.stderr == (
        "\nthermochroma: interrupted; run `dvc repro` again: what was finished is kept.\n"
    )
    assert done.returncode != 0


def _under(folder: Path, *, then: str) -> subprocess.Popen[str]:
    """A program named `dvc`, which starts a stage and does what `then` says."""
    stage = STAGE.format("import time; print('began', flush=True); time.sleep(60); print('slept')")
    script = folder / "dvc"
    script.write_text(FAKE_DVC.format(python=sys.executable, stage=stage, then=then))
    script.chmod(0o755)
    return subprocess.Popen(
        [script],
        env=_environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def test_it_ends_when_its_dvc_is_killed(tmp_path: Path) -> None:
    with _under(tmp_path, then="wait") as dvc:
        assert dvc.stdout is not None
        assert dvc.stdout.readline() == "began\n"
        dvc.kill()
        assert dvc.stdout.read() == ""  # to the end of the stream: the stage has it open too


def test_it_ends_when_its_dvc_is_killed_before_its_first_line(tmp_path: Path) -> None:
    with _under(tmp_path, then="exit") as dvc:
        assert dvc.stdout is not None
        assert "no `dvc` runs above" in dvc.stdout.read()


def test_a_process_that_ends_while_its_parents_are_asked_for_is_no_accident(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    answers: list[Any] = [psutil.NoSuchProcess(1), ["a process"]]

    def parents(process: psutil.Process) -> Any:
        answer = answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    monkeypatch.setattr(psutil.Process, "parents", parents)
    assert watch.above() == ["a process"]


class _Process:
    """A process of which psutil says so much."""

    def __init__(self, running: bool, status: str | None) -> None:
        self.running, self.told = running, status

    def is_running(self) -> bool:
        return self.running

    def status(self) -> str:
        if self.told is None:
            raise psutil.NoSuchProcess(1)
        return self.told


@pytest.mark.parametrize(
    ("running", "status", "alive"),
    [
        (True, psutil.STATUS_SLEEPING, True),
        (True, psutil.STATUS_ZOMBIE, False),
        (False, psutil.STATUS_RUNNING, False),
        (True, None, False),  # it ended between the two questions
    ],
)
def test_a_process_that_ends_meanwhile_is_no_accident(
    running: bool, status: str | None, alive: bool
) -> None:
    assert watch.lives(cast(Any, _Process(running, status))) == alive
