"""A network appears as ONNX only if it computes the same there, at any size."""

import json
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import Tensor

from tests.examiner import SCALE, settings_of
from tests.export.test_onnx_file import model
from tests.serving.test_translate import saved
from thermochroma.base.errors import BadInput
from thermochroma.base.tensors import Image
from thermochroma.contract.batch import Still
from thermochroma.contract.method import Translator
from thermochroma.export.metadata import Metadata
from thermochroma.export.onnx_file import read_onnx_metadata
from thermochroma.export.to_onnx import write_onnx


class Odd(Translator[Still]):
    """A translator that computes what it is given."""

    def __init__(self, compute: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.compute = compute

    def forward(self, seen: Still) -> Image:
        return self.compute(seen.thermal.expand(-1, 3, -1, -1))


def odd(compute: Callable[[Tensor], Tensor], path: Path) -> None:
    raw = json.loads(settings_of("tir2lab").model_dump_json())
    metadata = Metadata("odd", raw, SCALE, 0, "made-up", 64, "random", None)
    path.parent.mkdir(exist_ok=True)
    source = saved("tir2lab", path.with_name("t.safetensors"))
    write_onnx(path, Odd(compute), metadata, source=source, drawn=False, text=None)


def by_side(x: Tensor) -> Tensor:
    return x * (1 if int(x.shape[-1]) < 200 else -1)


def by_batch(x: Tensor) -> Tensor:
    return x * torch.ones(len(x), 1, 1, 1)


@pytest.mark.parametrize(
    ("compute", "sentence"),
    [
        (lambda x: x * torch.vdot(x.flatten(), x.flatten()), "cannot be written .*vdot"),
        (by_side, r"differs in ONNX Runtime by \S+ at 260 by 264 pixels"),
        (by_batch, "fails in ONNX Runtime at .* pixels|differs in ONNX"),
        (lambda x: x * float("nan"), "differs in ONNX Runtime by nan"),
    ],
)
def test_a_network_that_would_be_another_is_refused_with_the_reason(
    compute: Callable[[Tensor], Tensor],
    sentence: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(BadInput, match=sentence) as caught:
        odd(compute, tmp_path / "out/a.onnx")
    assert "use the translator with torch" in caught.value.remedy
    assert not [*(tmp_path / "out").glob("*.onnx")]
    told = capsys.readouterr()
    assert told.out + told.err == "", "the exporter prints whole graphs"


def test_what_it_wrote_is_replaced_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "a.onnx"
    odd(lambda x: x, path)
    first = path.read_bytes()
    odd(lambda x: -x, path)
    assert path.read_bytes() != first
    assert read_onnx_metadata(path).name == "odd"
    for content in (model().SerializeToString(), b"", first[:-1]):
        path.write_bytes(content)
        with pytest.raises(BadInput, match="is not as `export` wrote it"):
            odd(lambda x: x, path)
        assert path.read_bytes() == content


def test_the_translator_stays_as_it_was(tmp_path: Path) -> None:
    network = Odd(torch.tanh).train()
    raw = json.loads(settings_of("tir2lab").model_dump_json())
    metadata = Metadata("odd", raw, SCALE, 0, "made-up", 64, "random", None)
    source = saved("tir2lab", tmp_path / "t.safetensors")
    write_onnx(tmp_path / "a.onnx", network, metadata, source=source, drawn=True, text=None)
    assert network.training
    assert read_onnx_metadata(tmp_path / "a.onnx").drawn


def test_a_package_that_is_missing_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "onnx", None)
    with pytest.raises(BadInput, match=r"`pip install 'thermochroma\[export\]'`"):
        odd(lambda x: x, tmp_path / "a.onnx")
