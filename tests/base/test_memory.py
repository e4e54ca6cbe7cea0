"""The limit of memory: what is free, or what a container is given, if that is less."""

from pathlib import Path

import pytest

from thermochroma.base import memory


def test_a_container_may_be_given_less_than_the_machine_has(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(memory, "OF_CONTAINERS", (tmp_path / "max", tmp_path / "missing"))
    free = memory.free_bytes()
    assert free > 1 << 20
    (tmp_path / "max").write_text("max\n")
    assert memory.free_bytes() > 1 << 20
    (tmp_path / "max").write_text("4096\n")
    assert memory.free_bytes() == 4096
