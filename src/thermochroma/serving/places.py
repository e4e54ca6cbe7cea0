"""Finds the translator that a person names, and sees that the library asked for can compute it."""

from pathlib import Path

from platformdirs import user_cache_path

from thermochroma.base.errors import BadInput
from thermochroma.export.archive import ONNX, TRANSLATOR
from thermochroma.export.onnx_file import is_onnx
from thermochroma.pretrained.shared_translators import bring_translator, is_packed
from thermochroma.serving.models import file_of


def translator_at(place: str, data: Path, *, runtime: str | None = None) -> Path:
    """Path of the translator; it is taken out of an archive, into the user's cache, if one is named.

    data: the project's folder of data, where names of what was trained there are looked for. runtime:
    "torch" or "onnx", which chooses among the files of an archive; None for torch there, and for whichever
    a file is for.
    Raises BadInput if the archive is not the one that is meant, or cannot be had, for a name of no
    translator, and for a file that is for the other library.
    """
    if is_packed(place):
        name = ONNX if runtime == "onnx" else TRANSLATOR
        return bring_translator(place, user_cache_path("thermochroma") / "translators", name=name)
    path = file_of(Path(place), data)
    if runtime is not None and is_onnx(path) != (runtime == "onnx"):
        raise _for_the_other(place, path)
    return path


def _for_the_other(place: str, path: Path) -> BadInput:
    if is_onnx(path):
        return BadInput(
            given=f"{path} is for ONNX Runtime, and --runtime torch is given",
            needed="a translator.safetensors, which torch reads",
            remedy="give the file that it was made of, or leave --runtime out",
        )
    return BadInput(
        given=f"{path} holds weights for torch, and --runtime onnx is given",
        needed="an ONNX file",
        remedy=f"write one first, `thermochroma export {place} --onnx translator.onnx`, and give that",
    )
