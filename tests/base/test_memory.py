"""The limit of memory is what is free, or what a container is given, if less; what is freed is kept."""

import platform
import subprocess
import sys
from pathlib import Path

import pytest

from thermochroma.base import memory

AGAIN = """
import resource
import sys
from thermochroma.base.memory import keep_freed

if sys.argv[1] == "kept":
    keep_freed()
pages = []
for _ in range(3):
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    one = bytearray(64 << 20)
    del one
    pages.append(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
print(pages[-1])
"""
"""Asks for 64 MiB three times, and prints how many pages the system had to give for the last."""


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


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="concerns glibc alone")
def test_memory_that_was_freed_is_used_again() -> None:
    pages = {how: _pages(how) for how in ("kept", "given back")}
    assert pages["kept"] < 10 < pages["given back"]


def _pages(how: str) -> int:
    command = [sys.executable, "-c", AGAIN, how]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return int(done.stdout)
