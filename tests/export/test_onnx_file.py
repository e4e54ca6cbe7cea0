"""An ONNX file says what it is; one that says nothing, or is damaged, is refused before it is run."""

import json
from io import BytesIO
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper, numpy_helper

from thermochroma.base.errors import BadInput
from thermochroma.export.onnx_file import KEY, read_onnx, read_onnx_metadata
from thermochroma.export.onnx_properties import read_properties

TOLD = {
    "name": "made",
    "title": "Made",
    "method": "tir2lab",
    "direction": "thermal to visible",
    "inputs": ["thermal"],
    "value_range": [-1, 1],
    "sides_multiple_of": 4,
    "least_side": 4,
    "sentence": None,
    "opset": 18,
    "translator_sha256": "0" * 64,
    "trained_on": "sample",
    "drawn": True,
    "frozen": "random",
    "images": None,
}


def model(told: object = None, *, key: str = KEY, takes: str = "thermal") -> onnx.ModelProto:
    """A model that repeats its one channel, with metadata at its end, as another program writes them."""
    form = ["n", 1, "h", "w"]
    graph = helper.make_graph(
        [helper.make_node("Concat", [takes] * 3, ["output"], axis=1)],
        "made",
        [helper.make_tensor_value_info(takes, TensorProto.FLOAT, form)],
        [helper.make_tensor_value_info("output", TensorProto.FLOAT, ["n", 3, "h", "w"])],
    )
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=8)
    if told is not None:
        made.metadata_props.add(key=key, value=told if isinstance(told, str) else json.dumps(told))
    return made


def saved(path: Path, made: onnx.ModelProto) -> Path:
    path.write_bytes(made.SerializeToString())
    return path


def test_properties_are_read_as_the_library_reads_them() -> None:
    made = model(TOLD)
    made.metadata_props.add(key="é", value="ü" * 300)
    made.model_version = -1  # ten digits
    content = made.SerializeToString()
    wanted = {one.key: one.value for one in onnx.ModelProto.FromString(content).metadata_props}
    assert read_properties(BytesIO(content), len(content)) == wanted
    session = onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"])
    assert session.get_modelmeta().custom_metadata_map == wanted


@pytest.mark.parametrize(
    "content",
    [b"\x72\x05", b"\x72\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", b"\x0b", b"\x3a\x7f", b"\x80"],
)
def test_what_is_no_protobuf_is_a_value_error(content: bytes) -> None:
    with pytest.raises(ValueError, match=r"beyond|digits|form|ends"):
        read_properties(BytesIO(content), len(content))


def test_a_file_that_another_program_wrote_again_is_taken(tmp_path: Path) -> None:
    path = saved(tmp_path / "a.onnx", model(TOLD))
    session, metadata = read_onnx(path)
    assert metadata.traits.spectrum == "thermal"
    assert metadata.drawn
    (found,) = session.run(None, {"thermal": np.ones((1, 1, 4, 8), np.float32)})
    assert found.shape == (1, 3, 4, 8)


def test_a_model_without_metadata_is_refused_in_a_sentence(tmp_path: Path) -> None:
    for made in (model(), model("{}", key="other")):
        with pytest.raises(BadInput, match="of another program"):
            read_onnx(saved(tmp_path / "a.onnx", made))


@pytest.mark.parametrize(
    ("told", "sentence"),
    [
        ("no json", "cannot be read"),
        ("[1]", "cannot be read"),
        ({**TOLD, "more": 1}, "lack `more` or have it too many"),
        ({name: TOLD[name] for name in TOLD if name != "opset"}, "lack `opset`"),
        ({**TOLD, "inputs": []}, "inputs"),
        ({**TOLD, "inputs": ["text"]}, "inputs"),
        ({**TOLD, "sides_multiple_of": 0}, "sides_multiple_of"),
        ({**TOLD, "drawn": "no"}, "drawn"),
        ({**TOLD, "inputs": ["thermal", "sharpness"]}, "it takes thermal, and says thermal, sharp"),
    ],
)
def test_other_metadata_are_refused(told: object, sentence: str, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=sentence) as caught:
        read_onnx(saved(tmp_path / "a.onnx", model(told)))
    assert "a.onnx" in caught.value.given


def test_metadata_are_looked_at_before_the_network(tmp_path: Path) -> None:
    """A network of operators that nobody has, and metadata of nobody: the latter are told."""
    made = model()
    made.graph.node[0].op_type = "Unheard"
    with pytest.raises(BadInput, match="of another program"):
        read_onnx(saved(tmp_path / "a.onnx", made))
    made.metadata_props.add(key=KEY, value=json.dumps(TOLD))
    assert read_onnx_metadata(saved(tmp_path / "a.onnx", made)).title == "Made"
    with pytest.raises(BadInput, match="Unheard"):
        read_onnx(tmp_path / "a.onnx")


def test_no_other_file_is_read_for_weights(tmp_path: Path) -> None:
    (tmp_path / "secret").write_bytes(np.ones(3, np.float32).tobytes())
    made = model(TOLD)
    outside = numpy_helper.from_array(np.ones((1, 1, 1, 3), np.float32), "weight")
    outside.ClearField("raw_data")
    outside.data_location = TensorProto.EXTERNAL
    outside.external_data.add(key="location", value="secret")
    made.graph.initializer.append(outside)
    made.graph.node.insert(0, helper.make_node("Add", ["thermal", "weight"], ["sum"]))
    made.graph.node[1].input[:] = ["sum"] * 3
    with pytest.raises(BadInput, match="cannot be read"):
        read_onnx(saved(tmp_path / "a.onnx", made))
