"""The frame round every stage."""

from typing import Any, cast

import psutil
import pytest

from stages.command import _lives


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
    ("running", "status", "lives"),
    [
        (True, psutil.STATUS_SLEEPING, True),
        (True, psutil.STATUS_ZOMBIE, False),
        (False, psutil.STATUS_RUNNING, False),
        (True, None, False),  # it ended between the two questions
    ],
)
def test_a_process_that_ends_meanwhile_is_no_accident(
    running: bool, status: str | None, lives: bool
) -> None:
    assert _lives(cast(Any, _Process(running, status))) == lives
