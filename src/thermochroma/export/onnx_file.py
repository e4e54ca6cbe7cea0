"""Translators in ONNX files: their metadata, and how they are opened. Needs no torch.

A file is one model in protobuf, as ONNX says. Its metadata stand at the beginning, with a digest of all
bytes: so a file that was cut or changed is noticed.
"""

import json
import os
from dataclasses import dataclass, fields
from io import BytesIO
from pathlib import Path
from typing import Annotated, Any, Final, Literal

from pydantic import Field, TypeAdapter

from thermochroma.base.cores import usable_cores
from thermochroma.base.errors import BadInput
from thermochroma.base.reading import reading
from thermochroma.base.sealed import SEAL, refuse_changed
from thermochroma.export.onnx_properties import read_properties
from thermochroma.export.traits import Traits

KEY: Final = "thermochroma"
"""Key of the metadata among a model's properties."""
SUFFIX: Final = ".onnx"
EXTRA: Final = "onnx"  # of pyproject.toml
NEEDED: Final = "an ONNX file that `thermochroma export` wrote"
REMEDY: Final = "give another one, or export the translator again with this version"
FATAL: Final = 4
"""Severity from which ONNX Runtime writes to the terminal: what it raises is told in a sentence of ours."""


@dataclass(frozen=True)
class OnnxMetadata:
    """Facts that suffice to use the model in a file, and its origin."""

    name: str
    """Name of the translator in the line-up."""
    title: str
    """Title of the translator in tables."""
    method: str
    direction: Literal["thermal to visible", "visible to thermal"]
    inputs: Annotated[
        tuple[Literal["thermal", "visible", "reference", "sharpness"], ...], Field(min_length=1)
    ]
    """Names of the model's inputs. Images: n by channels by height by width, in `value_range`; of a
    reference, the same height and width, all zeros for none. Sharpness: n numbers from 0 to 1."""
    value_range: tuple[Literal[-1], Literal[1]]
    """Black and white of images, of the input as of the output."""
    sides_multiple_of: Annotated[int, Field(ge=1, le=1 << 16)]
    least_side: Annotated[int, Field(ge=1, le=1 << 16)]
    """Divisor of heights and widths, and the shortest, in pixels."""
    sentence: str | None
    """Sentence whose features are part of the model; None if it sees no text."""
    opset: int
    """Version of ONNX's operators."""
    translator_sha256: str
    """SHA-256 of the translator.safetensors that it was made of."""
    trained_on: str
    drawn: bool
    """Whether the images that it was trained on are drawn, so that it is for trying the program alone."""
    frozen: str
    images: int | None
    """Origin of the translator, as in its own metadata."""

    @property
    def traits(self) -> Traits:
        """Form of its input."""
        return Traits(
            self.title, self.inputs, self.sides_multiple_of, self.least_side, self.sentence
        )


ADAPTER: Final = TypeAdapter(OnnxMetadata)


def is_onnx(path: Path) -> bool:
    """Whether a file is for ONNX Runtime, by its name."""
    return path.suffix.lower() == SUFFIX


def read_onnx_metadata(path: Path) -> OnnxMetadata:
    """Metadata alone; needs no ONNX Runtime. Raises BadInput if the file is no translator of ours."""
    return _read(path)[1]


def read_onnx(path: Path) -> tuple[Any, OnnxMetadata]:
    """Open a model for the processor: the session of ONNX Runtime, and the metadata.

    Raises BadInput if ONNX Runtime is not installed, or if the file is no translator of Thermochroma. A
    file that another program has written again, to make it smaller for example, has no digest at its
    beginning, and is taken as it is.
    """
    content, metadata = _read(path)
    runtime = _runtime(path)
    options = runtime.SessionOptions()
    options.intra_op_num_threads = _threads()
    options.log_severity_level = FATAL
    with reading(path, needed=NEEDED, remedy=REMEDY):
        # As bytes: by its path, a model may name other files for its weights, anywhere on the disk.
        session = runtime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
        _refuse_other_form(session, metadata)
    return session, metadata


def _read(path: Path) -> tuple[bytes, OnnxMetadata]:
    with reading(path, needed=NEEDED, remedy=REMEDY):
        content = path.read_bytes()
    refuse_changed(path, BytesIO(content), remedy=REMEDY, sealed=False)
    with reading(path, needed=NEEDED, remedy=REMEDY):
        told = read_properties(BytesIO(content), len(content))
    if KEY not in told:
        raise BadInput(
            given=f"{path} is a model of another program: it does not say which images it takes",
            needed=NEEDED,
            remedy=REMEDY,
        )
    with reading(path, needed=NEEDED, remedy=REMEDY):
        return content, _parsed(told[KEY])


def _parsed(text: str) -> OnnxMetadata:
    """Metadata from JSON; ValueError or TypeError for other fields or types."""
    found = {name: value for name, value in dict(json.loads(text)).items() if name != SEAL}
    if odd := sorted(found.keys() ^ {one.name for one in fields(OnnxMetadata)}):
        raise TypeError(f"its metadata lack `{odd[0]}` or have it too many")
    return ADAPTER.validate_json(json.dumps(found), strict=True)


def _refuse_other_form(session: Any, metadata: OnnxMetadata) -> None:
    """Raise ValueError unless the model takes what the metadata say, and gives one thing."""
    taken = tuple(one.name for one in session.get_inputs())
    if taken != metadata.inputs:
        raise ValueError(f"it takes {', '.join(taken)}, and says {', '.join(metadata.inputs)}")
    if len(session.get_outputs()) != 1:
        raise ValueError(f"it gives {len(session.get_outputs())} things, and not one")


def _runtime(path: Path) -> Any:
    try:
        import onnxruntime
    except ImportError:
        raise BadInput(
            given=f"{path} is for ONNX Runtime",
            needed="the package onnxruntime",
            remedy=f"`pip install 'thermochroma[{EXTRA}]'`",
        ) from None
    return onnxruntime


def _threads() -> int:
    """Number of threads: OMP_NUM_THREADS, which torch obeys too, or all processors of this process."""
    given = os.environ.get("OMP_NUM_THREADS", "")
    if given.isdecimal() and int(given) > 0:
        return int(given)
    return usable_cores()
