"""The work of `export`."""

import sys
from argparse import Namespace
from collections.abc import Sequence
from pathlib import Path

from thermochroma.base.errors import BadInput
from thermochroma.contract.batch import Captioned
from thermochroma.export.artifact import load_translator, method_of, title_of
from thermochroma.export.metadata import Metadata
from thermochroma.export.onnx_file import SUFFIX, OnnxMetadata, is_onnx
from thermochroma.export.to_onnx import Compared, FixedText, write_onnx
from thermochroma.inference.defaults import NEUTRAL
from thermochroma.inference.torch_engine import read_sentence
from thermochroma.serving.models import is_drawn
from thermochroma.serving.places import translator_at


def run(chosen: Namespace) -> None:
    """Write the file; print what it holds and how near both libraries are."""
    if not is_onnx(chosen.onnx):
        raise BadInput(
            given=f"`--onnx {chosen.onnx}`",
            needed=f"a name that ends in {SUFFIX}",
            remedy=f"write NAME{SUFFIX}",
        )
    given = Path(chosen.translator)
    if is_onnx(given) and given.is_file():
        raise BadInput(
            given=f"{given} is an ONNX file already",
            needed="a translator that torch reads",
            remedy="use that file as it is, or give the translator.safetensors that it was made of",
        )
    source = translator_at(chosen.translator, chosen.data, runtime="torch")
    translator, metadata = load_translator(source)
    text = fixed_text(
        metadata,
        sentence=chosen.sentence,
        encoder=chosen.text or chosen.data / "weights/clip",
        translator=source,
    )
    drawn = is_drawn(metadata)
    told, compared = write_onnx(
        chosen.onnx, translator, metadata, source=source, drawn=drawn, text=text
    )
    sys.stdout.write(_report(chosen.onnx, told, compared))


def fixed_text(
    metadata: Metadata, *, sentence: str | None, encoder: Path, translator: Path
) -> FixedText | None:
    """Read the sentence that becomes part of the model; None for a translator that sees no text.

    sentence: None for a neutral one. Raises BadInput for a sentence that the translator has no use for,
    and if the encoder in that folder is not the one with which the file `translator` was trained.
    """
    if method_of(metadata).sees is not Captioned:
        if sentence is not None:
            raise BadInput(
                given=f"--sentence is asked of {title_of(metadata)}",
                needed="a translator whose method reads",
                remedy="leave the option out, or name another translator",
            )
        return None
    words = NEUTRAL if sentence is None else sentence
    table = read_sentence(words, encoder, width=metadata.text_width, translator=translator)
    return FixedText(words, table.features, table.mask)


def _report(path: Path, told: OnnxMetadata, compared: Sequence[Compared]) -> str:
    sizes = ", ".join(f"{one.width}x{one.height}" for one in compared)
    most = max(one.difference for one in compared)
    lines = [
        f"{path}: {told.title}, {path.stat().st_size / 1e6:.1f} MB, opset {told.opset}",
        f"inputs: {', '.join(told.inputs)}; sides: multiples of {told.sides_multiple_of}"
        + (f" from {told.least_side}" if told.least_side > told.sides_multiple_of else ""),
        *([f"built in: {told.sentence!r}"] if told.sentence is not None else []),
        f"at {sizes} it differs from torch by {most:.1g} at most, on a scale from -1 to 1",
        f"thermochroma translate {path} IMAGES --to FOLDER",
    ]
    return "".join(f"{line}\n" for line in lines)
