"""What DVC has recorded, and what is not certain."""

from pathlib import Path

import pytest

from stages.recorded import recorded_in
from tests.tiny_project import Project
from thermochroma.base.files import md5

STAGES = """stages:
  made:
    cmd: printf one > made.txt && mkdir folder && printf two > folder/two.txt
    outs: [made.txt, folder]
"""


def test_what_dvc_records_is_found_while_it_lies_in_its_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = Project(tmp_path)
    (tmp_path / "dvc.yaml").write_text(STAGES)
    monkeypatch.chdir(tmp_path)
    lock = Path("dvc.lock")
    assert recorded_in(lock) == set()
    project.repro()
    found = recorded_in(lock)
    assert len(found) == 2
    assert md5(Path("made.txt")) in found
    whole = lock.read_text()
    for end in range(
        len(whole)
    ):  # it is being written: no more than the start of an MD5 is made up
        lock.write_text(whole[:end])
        assert all(any(one.startswith(cut) for one in found) for cut in recorded_in(lock))
    lock.write_text(whole)
    Path("made.txt").unlink()  # as DVC does before it runs the stage again
    assert len(recorded_in(lock)) == 1
