"""Types, as `make lint` checks them: here beside the other tests, since mypy uses one core."""

import subprocess
import sys

from tests.conftest import ROOT


def test_mypy_finds_no_fault() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "mypy"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
