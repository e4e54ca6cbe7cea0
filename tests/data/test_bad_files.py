"""Every reader of users' files in this room, fed with bad ones: one sentence that names the file."""

import io
import json
import tarfile
import tempfile
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from tests.made_data import boxes_of, vbb
from thermochroma.base.errors import BadInput
from thermochroma.base.sealed import write_json
from thermochroma.data.acquisition.inventory import warnings_noted
from thermochroma.data.acquisition.kaist_annotations import read_boxes, read_vbb
from thermochroma.data.acquisition.ledger import Ledger
from thermochroma.data.acquisition.notes import read_note
from thermochroma.data.acquisition.unpack import unpack
from thermochroma.data.captioning.overrides import OVERRIDE_COLUMNS, read_overrides
from thermochroma.data.datasets import sample
from thermochroma.data.datasets.kaist import _listed
from thermochroma.data.datasets.sample import SampleSettings

NOISE = np.random.default_rng(0).bytes(20_000)


def _zip() -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr("a", NOISE)
    return stream.getvalue()


def _tar() -> bytes:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w:gz") as archive:
        member = tarfile.TarInfo("a")
        member.size = len(NOISE)
        archive.addfile(member, io.BytesIO(NOISE))
    return stream.getvalue()


def _facts(path: Path) -> object:
    return sample.facts(SampleSettings(), path.parent)


def _sealed(values: Mapping[str, object]) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "a.json"
        write_json(path, values)
        return path.read_bytes()


@dataclass(frozen=True)
class Reader:
    """A right file, its name, and what reads it."""

    file: str
    right: bytes
    read: Callable[[Path], object]
    passes: tuple[str, ...] = ()
    """Faults that give a right file too, or none that is asked for."""


NOTE = json.dumps({"folders": {"images": {"origin": {"folder": "a"}, "warnings": []}}}).encode()
READERS = {
    "overrides": Reader(
        "overrides.csv",
        f'{",".join(OVERRIDE_COLUMNS)}\nkaist,a/*,"a van, parked",me,2026-01-31,thermal,\n'.encode(),
        read_overrides,
    ),
    "text annotation": Reader(
        "I00000.txt",
        b"% bbGt version=3\nperson 505 212 20 50 0 0 0 0 0 0 0\n",
        read_boxes,
    ),
    "MATLAB annotation": Reader("V000.vbb", vbb([boxes_of(n) for n in range(6)]), read_vbb),
    "list of frames": Reader(
        "imageSets/train-all-20.txt",
        b"set00/V000/I00019\nset00/V000/I00039\n",
        lambda path: _listed(path.parents[1], "set00/V000", set()),
        passes=(
            "missing",
            "empty",
            "cut",
            "garbage",
            "zeros",
            "a folder",
            "deep",
        ),  # it names no frame
    ),
    "note of origins": Reader(
        ".origin.json",
        NOTE,
        lambda path: warnings_noted(path.parent),
        passes=("missing", "a folder"),
    ),
    "note": Reader(".origin.json", NOTE, lambda path: read_note(path, remedy="remove it")),
    "ledger": Reader(
        "a.downloads.json",
        json.dumps({"https://a": {"sha256": "0" * 64, "bytes": 3}}).encode(),
        lambda path: Ledger(path).entries(),
        passes=("missing", "a folder"),
    ),
    "facts of the sample": Reader("captions_meta.json", _sealed({"set00/V000": {}}), _facts),
    "truth of the sample": Reader(
        "ground_truth.json",
        _sealed({"set00/V000": [[1, 0, 0], [0, 1, 0]]}),
        lambda path: sample.truth(path.parent),
    ),
    "zip": Reader("a.zip", _zip(), lambda path: unpack(path, path.parent / "out")),
    "tar": Reader("a.tar.gz", _tar(), lambda path: unpack(path, path.parent / "out")),
}


def _folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


FAULTS: dict[str, Callable[[Path], object]] = {
    "missing": lambda path: path.unlink(),
    "a folder": _folder,
    "empty": lambda path: path.write_bytes(b""),
    "cut": lambda path: path.write_bytes(path.read_bytes()[: path.stat().st_size * 4 // 5]),
    "garbage": lambda path: path.write_bytes(b'this is no such file\n"{[(:\n'),
    "binary": lambda path: path.write_bytes(NOISE),
    "zeros": lambda path: path.write_bytes(bytes(4096)),
    "a huge head": lambda path: path.write_bytes(b"\xff" * 7 + b"\x7f" + b"{" * 200_000),
    "deep": lambda path: path.write_bytes(b"[" * 100_000),
}


def made(reader: Reader, folder: Path) -> Path:
    path = folder / reader.file
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(reader.right)
    return path


@pytest.mark.parametrize("name", READERS)
def test_a_right_file_is_read(name: str, tmp_path: Path) -> None:
    READERS[name].read(made(READERS[name], tmp_path))


@pytest.mark.parametrize(
    "name, fault",
    [(name, fault) for name in READERS for fault in FAULTS if fault not in READERS[name].passes],
)
def test_a_bad_file_is_one_sentence(name: str, fault: str, tmp_path: Path) -> None:
    path = made(READERS[name], tmp_path)
    FAULTS[fault](path)
    with pytest.raises(BadInput) as caught:
        READERS[name].read(path)
    assert path.name in caught.value.given
    assert "\n" not in str(caught.value)
