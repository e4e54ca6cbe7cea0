"""Files that mean harm: no code of theirs runs, no other file is read, and they take no memory."""

import json
import pickle
import resource
import struct
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from tests.readers import FEEDERS
from tests.serving.test_translate import saved
from thermochroma.base.errors import BadInput
from thermochroma.export.artifact import load_translator
from thermochroma.export.metadata import KEY, read_metadata
from thermochroma.metrics.perceptual import read_linear
from thermochroma.pretrained.authors_checkpoints import Entry, read_checkpoint

SECRET = b"this text is the content of another file, and no weights at all"
ENTRIES = [Entry("a.kernel", (16,), "a", "")]


class Runs:
    """A pickle that leaves a file behind when it is loaded as pickles are."""

    def __init__(self, place: Path) -> None:
        self.place = place

    def __reduce__(self) -> tuple[Callable[..., object], tuple[str, bytes]]:
        return _leave, (str(self.place), b"run")


def _leave(place: str, content: bytes) -> None:
    Path(place).write_bytes(content)


@pytest.mark.parametrize("read", [read_checkpoint, read_linear])
@pytest.mark.parametrize("form", ["zip", "legacy", "bare", "nested"])
def test_no_code_in_a_pickle_is_run(
    form: str, read: Callable[[Path], object], tmp_path: Path
) -> None:
    path, trace = tmp_path / "a.pth", tmp_path / "trace"
    if form == "bare":
        path.write_bytes(pickle.dumps(Runs(trace)))
    else:
        content: Any = {"a": torch.zeros(2), "b": Runs(trace)} if form == "nested" else Runs(trace)
        torch.save(content, path, _use_new_zipfile_serialization=form != "legacy")
    with pytest.raises(BadInput, match="nothing in it was run") as caught:
        read(path)
    assert not trace.exists()
    assert "weights_only" not in str(caught.value)
    torch.load(path, weights_only=False) if form != "bare" else pickle.loads(path.read_bytes())
    assert trace.exists(), "the trap works"


def _soft(file: h5py.File, other: Path) -> None:
    file["a/real"] = np.ones(16, np.float32)
    file["a/kernel:0"] = h5py.SoftLink("/a/real")


def _external_link(file: h5py.File, other: Path) -> None:
    file["a/kernel:0"] = h5py.ExternalLink(str(other), "/weights")


def _external_model(file: h5py.File, other: Path) -> None:
    file["model_weights"] = h5py.ExternalLink(str(other), "/")


def _external_storage(file: h5py.File, other: Path) -> None:
    file.create_dataset(
        "a/kernel:0", (16,), np.float32, external=[(str(other), 0, h5py.h5f.UNLIMITED)]
    )


def _virtual(file: h5py.File, other: Path) -> None:
    layout = h5py.VirtualLayout((16,), np.float32)
    layout[:] = h5py.VirtualSource(str(other), "weights", (16,))
    file.create_virtual_dataset("a/kernel:0", layout)


def _claims_a_tebibyte(file: h5py.File, other: Path) -> None:
    file.create_dataset("a/kernel:0", (1 << 38,), np.float32, chunks=(1 << 20,))


def _huge_blocks(file: h5py.File, other: Path) -> None:
    file.create_dataset("a/kernel:0", (16,), np.float32, chunks=(1 << 29,), maxshape=(None,))


def _circle(file: h5py.File, other: Path) -> None:
    file.create_group("a")["b"] = file["/"]


def _texts(file: h5py.File, other: Path) -> None:
    file["a/kernel:0"] = np.array([b"word"] * 16)


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (_soft, "a link to another place or file"),
        (_external_link, "a link to another place or file"),
        (_external_model, "a link to another place or file"),
        (_external_storage, "numbers of other files"),
        (_virtual, "numbers of other files"),
        (_claims_a_tebibyte, r"with the shape \(274877906944,\)"),
        (_huge_blocks, "larger than the tensor"),
        (_circle, "more than 10000 parts, or groups more than 8 deep"),
        (_texts, "which are no weights"),
    ],
)
def test_an_hdf5_file_is_read_from_itself_alone(
    make: Callable[[h5py.File, Path], None], sentence: str, tmp_path: Path
) -> None:
    other, path = tmp_path / "other", tmp_path / "a.h5"
    if "storage" in make.__name__:
        other.write_bytes(SECRET)
    else:
        with h5py.File(other, "w") as file:
            file["weights"] = np.ones(16, np.float32)
    with h5py.File(path, "w") as file:
        make(file, other)
    assert path.stat().st_size < 1 << 14
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(BadInput, match=sentence):
        read_checkpoint(path, ENTRIES)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 1 << 18  # 256 MiB


def _retold(path: Path, change: Callable[[dict[str, Any]], None]) -> None:
    """Change a translator's metadata, its tensors as they are."""
    FEEDERS["translator"].make(path)
    tensors = load_translator(path)[0].state_dict()
    metadata = json.loads(json.dumps(read_metadata(path).__dict__))
    change(metadata)
    save_file(tensors, path, metadata={KEY: json.dumps(metadata)})


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"scale": 50.0}, "less than or equal to 16"),
        ({"scale": 15.9}, "do not fit its settings"),
        ({"scale": -1.0}, "greater than 0"),
        ({"scale": 1e-9}, "cannot be read|do not fit"),
        ({"scale": float("nan")}, "cannot be read"),
        ({"scale": "wide"}, "valid number"),
        ({"text_width": 1 << 40}, "less than or equal to 65536"),
        ({"side": None}, "valid integer"),
        ({"settings": []}, "cannot be read"),
        ({"surplus": 1}, "`surplus`"),
    ],
)
def test_metadata_ask_for_no_more_than_the_file_has(
    change: dict[str, Any], sentence: str, tmp_path: Path
) -> None:
    path = tmp_path / "a.safetensors"
    _retold(path, lambda told: told.update(change))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(BadInput, match=sentence):
        load_translator(path)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 1 << 18


def test_settings_that_ask_for_layers_without_end_are_refused_at_once(tmp_path: Path) -> None:
    path, cyclegan = tmp_path / "a.safetensors", tmp_path / "b.safetensors"
    saved("cyclegan", cyclegan)
    network, metadata = load_translator(cyclegan)
    block = {**metadata.settings["translator"], "blocks": 10**9}
    asked = replace(metadata, settings={**metadata.settings, "translator": block})
    save_file(network.state_dict(), path, metadata={KEY: json.dumps(asked.__dict__)})
    with pytest.raises(BadInput, match="more layers than it has weights for"):
        load_translator(path)


@pytest.mark.parametrize("name", ["../../escape", "/etc/escape", "pix2pix\n", "__init__", "os"])
def test_a_method_is_one_of_ours_and_no_path(name: str, tmp_path: Path) -> None:
    path = tmp_path / "a.safetensors"
    _retold(path, lambda told: told["settings"].update(method=name))
    with pytest.raises(BadInput, match="which this version does not have"):
        load_translator(path)


@pytest.mark.parametrize("size", [1 << 62, 1 << 30, 99])
def test_a_head_that_claims_more_than_there_is_is_refused(size: int, tmp_path: Path) -> None:
    path = tmp_path / "a.safetensors"
    path.write_bytes(struct.pack("<Q", size) + b'{"a":')
    with pytest.raises(BadInput, match=r"a\.safetensors cannot be read"):
        load_translator(path)


def test_metadata_nested_without_end_are_one_sentence(tmp_path: Path) -> None:
    path = tmp_path / "a.safetensors"
    save_file({"a": torch.zeros(1)}, path, metadata={KEY: '{"a":' * 100_000})
    with pytest.raises(BadInput, match="cannot be read"):
        read_metadata(path)
