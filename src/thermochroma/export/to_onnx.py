"""Translators written as ONNX files, each compared with what torch computes before it appears."""

import json
import logging
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, redirect_stdout
from copy import deepcopy
from dataclasses import asdict, dataclass, fields
from io import BytesIO, StringIO
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn
from torch.nn.utils import parametrize

from thermochroma.base.errors import BadInput
from thermochroma.base.files import sha256, whole_file
from thermochroma.base.reading import quote
from thermochroma.base.sealed import BLANK, SEAL, seal
from thermochroma.base.tensors import Image
from thermochroma.contract.dummy_input import dummy_input
from thermochroma.contract.method import Method, Translator
from thermochroma.export.artifact import method_of, title_of
from thermochroma.export.metadata import Metadata
from thermochroma.export.onnx_file import KEY, OnnxMetadata, read_onnx, read_onnx_metadata
from thermochroma.export.tracing import Traceable

EXTRA: Final = "export"  # of pyproject.toml
OUTPUT: Final = "output"
OPSET: Final = 18
"""Version of ONNX's operators: torch's exporter is written for it, and ONNX Runtime has it since 1.14."""
NEAR: Final = 1e-4
"""Largest difference between both libraries in [-1, 1]: an eightieth of a grey level."""
SMALL, LARGE = 64, 257
"""Shortest sides at which both libraries are compared. Beyond 256, the side of most trainings, networks
may compute otherwise than below it."""
COUNTS: Final = (1, 3, 1)  # of images at once, in these
AS_TORCH: Final = "use the translator with torch"
AXES: Final = ("batch", "height", "width")


@dataclass(frozen=True, eq=False)
class FixedText:
    """One sentence with its features, which become part of the model."""

    sentence: str
    features: Float[Tensor, "1 tokens width"]
    mask: Bool[Tensor, "1 tokens"]


@dataclass(frozen=True)
class Compared:
    """One size at which both libraries computed. difference: the largest, in [-1, 1]."""

    count: int
    height: int
    width: int
    difference: float


def write_onnx(
    path: Path,
    translator: Translator[Any],
    metadata: Metadata,
    *,
    source: Path,
    drawn: bool,
    text: FixedText | None,
) -> tuple[OnnxMetadata, list[Compared]]:
    """Write a translator as a model for ONNX Runtime, whole or not at all.

    metadata: of the translator in the file `source`. drawn: whether it was trained on drawn images. text:
    for one that sees text. An ONNX file of ours that is there already is replaced. Raises BadInput if
    another file is there, if a package is missing, if the network cannot be written, or if ONNX Runtime
    computes something else.
    """
    _refuse_missing_packages()
    _refuse_other_file(path)
    method = method_of(metadata)
    with whole_file(path) as part:  # first of all: a place that cannot be written is told at once
        plain = Plain(translator, method.sees, text).eval()  # the exporter sets its mode, to this
        told = _metadata(metadata, method, plain, source, drawn=drawn)
        part.write_bytes(_head(told) + _exported(plain, method, told.title))
        seal(part)
        compared = _compare(part, plain, method, told.title)
    return told, compared


class Plain(nn.Module):
    """A translator that takes tensors instead of an object, in the order of `inputs`; its text is fixed.

    It is a copy, whose weights are those that its parametrizations compute.
    """

    def __init__(self, translator: Translator[Any], sees: type, text: FixedText | None) -> None:
        super().__init__()
        self.translator, self.sees = deepcopy(translator).cpu().eval(), sees
        with torch.no_grad():
            _bake(self.translator)
        names = tuple(field.name for field in fields(sees))
        self.fixed = {"text": "features", "text_mask": "mask"} if text is not None else {}
        self.inputs = tuple(name for name in names if name not in self.fixed)
        self.sentence = None if text is None else text.sentence
        if text is not None:
            self.register_buffer("features", text.features)
            self.register_buffer("mask", text.mask)

    def forward(self, *parts: Tensor) -> Image:
        """Translate."""
        count = parts[0].shape[0]  # `len` would fix it
        given = dict(zip(self.inputs, parts, strict=True))
        for name, stored in self.fixed.items():
            one = self.get_buffer(stored)
            given[name] = one.expand(count, *one.shape[1:])
        prediction: Image = self.translator(self.sees(**given))
        return prediction


def _bake(network: nn.Module) -> None:
    """Replace parametrizations, such as a spectral norm's, by the weights that they compute."""
    for module in network.modules():
        if parametrize.is_parametrized(module):
            assert isinstance(module.parametrizations, nn.ModuleDict)
            for name in list(module.parametrizations):
                parametrize.remove_parametrizations(module, name)


def _metadata(
    metadata: Metadata, method: Method, plain: Plain, source: Path, *, drawn: bool
) -> OnnxMetadata:
    return OnnxMetadata(
        name=metadata.name,
        title=title_of(metadata),
        method=metadata.settings["method"],
        direction=method.direction.value,
        inputs=plain.inputs,  # type: ignore[arg-type]  # names of fields, which the reader checks
        value_range=(-1, 1),
        sides_multiple_of=method.sides_multiple_of,
        least_side=method.least_side,
        sentence=plain.sentence,
        opset=OPSET,
        translator_sha256=sha256(source),
        trained_on=metadata.trained_on,
        drawn=drawn,
        frozen=metadata.frozen,
        images=metadata.images,
    )


def _exported(plain: Plain, method: Method, title: str) -> bytes:
    """The model's bytes. Raises BadInput with the reason if torch cannot write it."""
    height, width = _sizes(method)[0]  # unequal sides: equal ones might be tied
    given = _inputs(plain, height, width, count=2)
    free = {
        name: dict(zip((0, 2, 3) if one.ndim == 4 else (0,), AXES, strict=False))
        for name, one in zip((*plain.inputs, OUTPUT), (*given, given[0]), strict=True)
    }
    written = BytesIO()
    try:
        with _quietly(), Traceable():
            # By tracing: the other exporter reasons about every size, for minutes, to the same result.
            torch.onnx.export(
                plain,
                given,
                written,  # type: ignore[arg-type]  # a tracer takes a stream
                dynamo=False,
                dynamic_axes=free,
                input_names=list(plain.inputs),
                output_names=[OUTPUT],
                opset_version=OPSET,
            )
        return _with_axes_from_the_front(written.getvalue())
    except Exception as problem:  # torch's own classes, which nobody can list
        raise BadInput(
            given=f"{title} cannot be written as ONNX ({quote(_root(problem))})",
            needed="a network of operators that ONNX has",
            remedy=AS_TORCH,
        ) from problem


def _sizes(method: Method) -> Sequence[tuple[int, int]]:
    """Three sizes at which both libraries are compared, height and width, each of unequal sides."""
    step = method.sides_multiple_of
    small, large = method.side_for(SMALL), method.side_for(LARGE)
    return (small, small + step), (small + step, small), (large + step, large)


def _inputs(plain: Plain, height: int, width: int, *, count: int) -> tuple[Tensor, ...]:
    """Noise in the order of the inputs."""
    seen = dummy_input(plain.sees, height=height, width=width, count=count, text_width=1)
    return tuple(getattr(seen, name) for name in plain.inputs)


def _compare(path: Path, plain: Plain, method: Method, title: str) -> list[Compared]:
    """Compare both libraries at three sizes, in one session.

    Raises BadInput unless ONNX Runtime computes what torch does. What lies outside of [-1, 1] becomes
    black or white, and is compared as such.
    """
    session, _ = read_onnx(path)
    compared = []
    for count, (height, width) in zip(COUNTS, _sizes(method), strict=True):
        given = _inputs(plain, height, width, count=count)
        with torch.no_grad():
            wanted = plain(*given).numpy()
        feeds = {name: one.numpy() for name, one in zip(plain.inputs, given, strict=True)}
        where = f"at {width} by {height} pixels"
        try:
            found = session.run(None, feeds)[0]
        except Exception as problem:
            raise BadInput(
                given=f"{title} fails in ONNX Runtime {where} ({quote(problem)})",
                needed="a model that takes any size",
                remedy=AS_TORCH,
            ) from problem
        apart = _difference(found, wanted)
        if not apart <= NEAR:  # NaN is no less than anything
            raise BadInput(
                given=f"{title} differs in ONNX Runtime by {apart:.2g} {where}",
                needed=f"at most {NEAR:g}, on a scale from -1 to 1",
                remedy=AS_TORCH,
            )
        compared.append(Compared(count, height, width, apart))
    return compared


def _difference(found: np.ndarray, wanted: np.ndarray) -> float:
    if found.shape != wanted.shape:
        return np.inf
    return float(np.abs(found.clip(-1, 1) - wanted.clip(-1, 1)).max())


def _with_axes_from_the_front(content: bytes) -> bytes:
    """Replace negative axes of transpositions, which torch writes and ONNX does not have."""
    from onnx import ModelProto

    model = ModelProto.FromString(content)
    for node in model.graph.node:
        for one in node.attribute:
            if node.op_type == "Transpose" and one.name == "perm":
                one.ints[:] = [axis % len(one.ints) for axis in one.ints]
    return bytes(model.SerializeToString())


def _head(metadata: OnnxMetadata) -> bytes:
    """A model of nothing but metadata, with room for a digest.

    Protobuf reads what stands one after the other as one model, so the metadata need not stand last,
    where a library puts them.
    """
    from onnx import ModelProto

    head = ModelProto()
    told = json.dumps({SEAL: BLANK, **asdict(metadata)})
    head.metadata_props.add(key=KEY, value=told)
    return bytes(head.SerializeToString())


def _refuse_missing_packages() -> None:
    try:
        import onnx  # noqa: F401
        import onnxruntime  # noqa: F401
    except ImportError as problem:
        raise BadInput(
            given=f"the package {problem.name} is not installed",
            needed="onnx and onnxruntime, which write and check the file",
            remedy=f"`pip install 'thermochroma[{EXTRA}]'`",
        ) from None


def _refuse_other_file(path: Path) -> None:
    """Raise BadInput for a file that is none of ours, or was changed since."""
    if not path.exists() and not path.is_symlink():
        return
    try:
        read_onnx_metadata(path)
    except BadInput as problem:
        raise BadInput(
            given=f"{path} is there and is not as `export` wrote it",
            needed="a free name: only ONNX files of `export`'s own are replaced",
            remedy="give another name, or remove that file yourself",
        ) from problem


@contextmanager
def _quietly() -> Iterator[None]:
    """Without the exporter's warnings and its print of a whole graph: what it could not do is raised."""
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        with warnings.catch_warnings(), redirect_stdout(StringIO()):
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(before)


def _root(problem: BaseException) -> BaseException:
    """The error that others were raised from."""
    while problem.__cause__ is not None:
        problem = problem.__cause__
    return problem
