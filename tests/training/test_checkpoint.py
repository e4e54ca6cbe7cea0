"""Checkpoints: whole, of this very training, and never another state without a word."""

import random
from pathlib import Path
from typing import Any

import pytest
import torch

from tests.examiner import batch_of, begin
from thermochroma.base.errors import BadInput
from thermochroma.base.reading import quote
from thermochroma.networks.frozen import FrozenNetworks
from thermochroma.training import checkpoint
from thermochroma.training.loop import play
from thermochroma.training.state import Training

FLIPS = 150


@pytest.fixture(scope="module")
def training(frozen: FrozenNetworks) -> Training:
    """A small real training after one step."""
    training = begin("tir2lab", frozen, scale=1 / 64)
    play(training, batch_of("tir2lab"))
    return training


@pytest.fixture
def folder(training: Training, tmp_path: Path) -> Path:
    checkpoint.save(training, tmp_path / "one", fingerprint="f")
    return tmp_path / "one"


def _resume(training: Training, folder: Path) -> list[str]:
    """What was told."""
    told = list[str]()
    assert checkpoint.resume(training, folder, fingerprint="f", tell=told.append)
    return told


def _same(one: Any, other: Any) -> bool:
    """Equal to the bit, tensors in nests of dicts and lists too."""
    if isinstance(one, torch.Tensor):
        return torch.equal(one, other)
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(_same(one[key], other[key]) for key in one)
    if isinstance(one, list):
        return len(one) == len(other) and all(map(_same, one, other))
    return bool(one == other)


def _state(training: Training) -> dict[str, Any]:
    state = training.state_dict()
    del state["random"]["python"]  # drawn from by beartype, which executes the types in tests
    return state


def test_a_flipped_bit_is_never_resumed_into_another_state(
    training: Training, folder: Path
) -> None:
    """`torch.load` compares no checksum. Some flips are in padding, or in what no reader looks at."""
    path, dice = folder / checkpoint.FILE, random.Random(0)
    sound, state, refused = path.read_bytes(), _state(training), 0
    for flip in range(FLIPS):
        broken = bytearray(sound)
        # every third in the last bytes, which are the zip file's own: names, sizes, places, checksums
        place = dice.randrange(len(sound) - 8000 if flip % 3 == 0 else 0, len(sound))
        broken[place] ^= 1 << dice.randrange(8)
        path.write_bytes(broken)
        try:
            _resume(training, folder)
        except BadInput as problem:
            assert str(path) in str(problem)
            assert str(problem).count("\n") == 0
            refused += 1
        else:
            assert _same(_state(training), state), f"bit flip at byte {place} of {len(sound)}"
    assert refused > FLIPS / 2


def test_damaged_it_goes_on_from_the_one_before_and_says_so(
    training: Training, folder: Path, frozen: FrozenNetworks
) -> None:
    """sml2h3/dddd_trainer#36: the disk was full, the checkpoint was cut, and no run could go on."""
    before, state = training.progress, _state(training)
    late = begin("tir2lab", frozen, scale=1 / 64)
    _resume(late, folder)
    play(late, batch_of("tir2lab", seed=1))
    checkpoint.save(late, folder, fingerprint="f")
    again = begin("tir2lab", frozen, scale=1 / 64, seed=1)
    assert _resume(again, folder) == []
    assert again.progress == late.progress != before
    content = (folder / checkpoint.FILE).read_bytes()
    (folder / checkpoint.FILE).write_bytes(content[: len(content) // 2])
    (told,) = _resume(again, folder)
    assert f"{checkpoint.FILE} cannot be read" in told
    assert "going on from the checkpoint before it" in told
    assert _same(_state(again), state)
    (
        folder / checkpoint.FILE
    ).unlink()  # a kill between the two renames leaves the one before alone
    assert _resume(again, folder) == []
    (folder / checkpoint.BEFORE).write_bytes(b"")
    with pytest.raises(BadInput, match=r"before.pt is empty.*remove the folder .*one"):
        _resume(again, folder)


def test_one_that_cannot_be_read_takes_no_others_place(
    training: Training, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sound = (folder / checkpoint.FILE).read_bytes()
    monkeypatch.setattr(torch, "save", lambda state, stream: stream.write(b"PK torn"))
    with pytest.raises(BadInput, match="whole checkpoint"):
        checkpoint.save(training, folder, fingerprint="f")
    assert (folder / checkpoint.FILE).read_bytes() == sound
    assert [path.name for path in folder.iterdir()] == [checkpoint.FILE]


@pytest.mark.parametrize(
    "content",
    [
        ["no", "mapping"],
        {"training": {}},
        {"fingerprint": "f", "training": {}},
        {"fingerprint": "f", "training": {"game": {}, "random": []}},
        {"fingerprint": "f", "training": 3},
        {"fingerprint": "f"},
    ],
)
def test_a_sound_file_with_something_else_in_it_is_one_sentence(
    training: Training, tmp_path: Path, content: Any
) -> None:
    torch.save(content, tmp_path / checkpoint.FILE)
    with pytest.raises(BadInput, match="whole checkpoint") as caught:
        _resume(training, tmp_path)
    assert str(caught.value).count("\n") == 0, quote(caught.value)


def test_there_may_be_none(training: Training, tmp_path: Path) -> None:
    assert not checkpoint.resume(training, tmp_path, fingerprint="f")


def test_one_of_another_training_is_refused(training: Training, folder: Path) -> None:
    with pytest.raises(BadInput, match="belongs to the training f; one of the training other"):
        checkpoint.resume(training, folder, fingerprint="other")
    assert (folder / checkpoint.FILE).exists()
