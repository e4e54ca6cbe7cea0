"""What makes the tests of the cluster quick: they run `dvc` fifty times."""

import pytest

from tests import forked_dvc


@pytest.fixture(autouse=True)
def dvc_is_forked(monkeypatch: pytest.MonkeyPatch) -> None:
    """Run `dvc` in copies of this process; what a test starts in a process of its own does not."""
    forked_dvc.use(monkeypatch)
