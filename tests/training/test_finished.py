"""What a training that has ended leaves until somebody has recorded it."""

import shutil
from pathlib import Path

import pytest

from thermochroma.base.files import md5, remove_folder
from thermochroma.base.lock import exclusive_lock, lock_of
from thermochroma.training import finished


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """The place of a training that has ended."""
    place = tmp_path / "checkpoints/sample-pix2pix-1"
    with finished.keeping(place) as kept:
        (kept / finished.TRANSLATOR).write_bytes(b"weights")
        (kept / "history.csv").write_text("images\n")
        (kept / "snapshots").mkdir()
        (kept / "snapshots/000000020.safetensors").write_bytes(b"earlier weights")
    (place / "training.pt").write_bytes(b"checkpoint")
    return place


def _content(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_what_is_kept_is_delivered_as_often_as_asked_for(place: Path, tmp_path: Path) -> None:
    for _ in range(2):
        finished.deliver(place, tmp_path / "run")
        assert _content(tmp_path / "run") == {
            finished.TRANSLATOR: b"weights",
            "history.csv": b"images\n",
            "snapshots/000000020.safetensors": b"earlier weights",
        }
        shutil.rmtree(tmp_path / "run")


def test_a_training_that_fails_at_its_end_keeps_nothing(tmp_path: Path) -> None:
    with pytest.raises(OSError), finished.keeping(tmp_path / "one") as kept:
        (kept / finished.TRANSLATOR).write_bytes(b"half")
        raise OSError
    assert not finished.is_kept(tmp_path / "one")


@pytest.mark.parametrize(
    "name", [finished.TRANSLATOR, "snapshots/000000020.safetensors", finished.DIGESTS]
)
def test_what_is_not_as_it_was_written_is_named(place: Path, name: str) -> None:
    assert finished.damaged(place) == []
    path = place / finished.FOLDER / name
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 4
    path.write_bytes(content)
    assert finished.damaged(place)
    path.unlink()
    assert finished.damaged(place) == [name]


def test_only_what_is_recorded_is_discarded(place: Path) -> None:
    root, known = place.parent, {md5(place / finished.FOLDER / finished.TRANSLATOR)}
    other, going_on = root / "sample-pix2pix-2", root / "sample-scgan-3"
    with finished.keeping(other) as kept:
        (kept / finished.TRANSLATOR).write_bytes(b"other weights")
    going_on.mkdir()
    (going_on / "training.pt").write_bytes(b"checkpoint")
    everything = _content(root)
    finished.discard_recorded(root, set())
    with exclusive_lock(place):  # another process is delivering it
        finished.discard_recorded(root, known)
    assert _content(root) == everything
    finished.discard_recorded(root, known)
    assert sorted(path.name for path in root.iterdir()) == [other.name, going_on.name]


def test_a_kill_while_one_is_discarded_leaves_nothing(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(folder: Path) -> None:
        raise KeyboardInterrupt

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(shutil, "rmtree", killed)
        with pytest.raises(KeyboardInterrupt):
            remove_folder(place)
    lock_of(place).touch()
    assert not finished.is_kept(place)
    finished.discard_recorded(place.parent, set())
    assert not list(place.parent.iterdir())
    finished.discard_recorded(place.parent / "none", set())
