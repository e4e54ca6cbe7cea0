"""Arrays of a foreign pickle are read; whatever else it names is neither run nor read."""

import os
import pickle
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from thermochroma.base.errors import BadInput
from thermochroma.pretrained.pickled_arrays import read_arrays


def pickled(item: Any, folder: Path, protocol: int = 4) -> Path:
    path = folder / "weights.ckpt"
    path.write_bytes(pickle.dumps(item, protocol=protocol))
    return path


@pytest.mark.parametrize("protocol", [3, 4])
def test_nested_arrays_come_back(protocol: int, tmp_path: Path) -> None:
    kernel, bias = np.arange(6, dtype=np.float32).reshape(2, 3), np.ones(3, dtype=np.float32)
    found = read_arrays(
        pickled({"net": {"conv": {"kernel": kernel, "bias": bias}}}, tmp_path, protocol)
    )
    assert list(found) == ["net/conv/kernel", "net/conv/bias"]
    np.testing.assert_array_equal(found["net/conv/kernel"], kernel)


class _Poison:
    """Whoever unpickles it runs a command that makes a file."""

    def __init__(self, call: Any, *arguments: Any) -> None:
        self.call, self.arguments = call, arguments

    def __reduce__(self) -> tuple[Any, ...]:
        return self.call, self.arguments


def test_a_poisoned_pickle_runs_nothing(tmp_path: Path) -> None:
    made = tmp_path / "made"
    for call, arguments in [
        (os.system, (f"touch {made}",)),
        (subprocess.check_call, (["touch", str(made)],)),
        (eval, (f"open({str(made)!r}, 'w')",)),
        (open, (str(made), "w")),
        (np.save, (str(made), np.zeros(1))),
        (np.fromfile, (__file__,)),
    ]:
        for item in (_Poison(call, *arguments), {"kernel": _Poison(call, *arguments)}):
            path = pickled(item, tmp_path)
            with pytest.raises(BadInput, match="which is no array"):
                read_arrays(path)
    assert not list(tmp_path.glob("made*"))


@pytest.mark.parametrize(
    "item", [3, [np.zeros(1)], {"a": "text"}, {"a": np.array(["text"])}, {"a": {"b": None}}]
)
def test_other_things_than_arrays_of_numbers_are_refused(item: Any, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="is no array of numbers"):
        read_arrays(pickled(item, tmp_path))


def test_a_cut_or_missing_file_is_one_sentence(tmp_path: Path) -> None:
    path = pickled({"a": np.zeros(100)}, tmp_path)
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(BadInput, match="cannot be read"):
        read_arrays(path)
    with pytest.raises(BadInput, match="does not exist"):
        read_arrays(tmp_path / "none")
