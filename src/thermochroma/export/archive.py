"""A translator packed for others: one zip archive with the file, its card and, if wanted, its ONNX.

The same files always give the same bytes, so that the archive's SHA-256 names what is in it.
"""

import re
import shutil
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Final

from thermochroma.base.errors import BadInput
from thermochroma.base.files import sha256, whole_file
from thermochroma.base.reading import reading
from thermochroma.export.metadata import read_metadata, refuse_damaged
from thermochroma.export.onnx_file import read_onnx_metadata

TRANSLATOR: Final = "translator.safetensors"
CARD: Final = "card.md"
ONNX: Final = "translator.onnx"
MOST_BYTES: Final = 4 << 30
"""Largest translator that is taken out of an archive."""
NEEDED: Final = f"a zip archive with {TRANSLATOR} in it, as `thermochroma publish` writes it"
REMEDY: Final = "give another archive, or the translator itself"
WITH_ONNX: Final = "an archive that was packed with `thermochroma publish --onnx`"
WITHOUT: Final = "leave `--runtime onnx` out, or ask its publisher for one"
_DAY: Final = (
    1980,
    1,
    1,
    0,
    0,
    0,
)  # the first that zip can tell; an archive does not depend on its day
_PIECE: Final = 1 << 20


def pack(translator: Path, card: Path, archive: Path, *, onnx: Path | None = None) -> None:
    """Write the archive, whole or not at all.

    Raises BadInput if the card or the ONNX file is about another file than `translator`, or if that is no
    translator.
    """
    read_metadata(translator)
    refuse_other_card(translator, card)
    if onnx is not None:
        refuse_other_onnx(translator, onnx)
    files = {CARD: card, TRANSLATOR: translator} | ({} if onnx is None else {ONNX: onnx})
    with whole_file(archive) as part, zipfile.ZipFile(part, "w") as packed:
        for name, path in files.items():
            _add(packed, name, path)


def refuse_other_card(translator: Path, card: Path) -> None:
    """Raise BadInput unless the SHA-256 that the card states is the translator's."""
    needed = "the model card of this very translator, as the stage compare writes it"
    with reading(card, needed=needed, remedy="give another card with --card"):
        text = card.read_text(encoding="utf-8")
    told = re.findall(r"\b[0-9a-f]{64}\b", text)
    if sha256(translator) not in told:
        raise BadInput(
            given=f"{card} is not the card of {translator}: it states the SHA-256 "
            f"{told[0] if told else 'of no file'}",
            needed=needed,
            remedy="run `dvc repro`, which writes the cards anew, or give another card with --card",
        )


def refuse_other_onnx(translator: Path, onnx: Path) -> None:
    """Raise BadInput unless an ONNX file is this very translator's."""
    if read_onnx_metadata(onnx).translator_sha256 != sha256(translator):
        raise BadInput(
            given=f"{onnx} was made of another translator than {translator}",
            needed="the same network as ONNX",
            remedy=f"run `thermochroma export {translator} --onnx {onnx}`, or leave --onnx out",
        )


def take_out(archive: Path, folder: Path, *, name: str = TRANSLATOR) -> Path:
    """Write the translator in an archive into `folder`, whole or not at all; its path.

    name: of the file, TRANSLATOR or ONNX. Raises BadInput if the archive is damaged, holds none of that
    name, or holds one larger than 4 GiB.
    """
    path = folder / name
    with reading(archive, needed=NEEDED, remedy=REMEDY):
        packed = zipfile.ZipFile(archive)
    with packed:
        sizes = _sizes(packed)
        if name not in sizes:
            needed, remedy = (NEEDED, REMEDY) if name == TRANSLATOR else (WITH_ONNX, WITHOUT)
            raise BadInput(given=f"{archive} holds no {name}", needed=needed, remedy=remedy)
        if sizes[name] > MOST_BYTES:
            raise BadInput(
                given=f"the translator in {archive} has {sizes[name]:,} bytes",
                needed=f"at most {MOST_BYTES:,}",
                remedy=REMEDY,
            )
        with whole_file(path) as part, part.open("wb") as stream:
            _copy(packed, archive, name, stream)
            stream.flush()
            _refuse_other_file(part, archive, name)
    return path


def refuse_unsound(path: Path) -> None:
    """Raise BadInput if the bytes of what was taken out before are not those that were written."""
    if path.name == ONNX:
        read_onnx_metadata(path)
    else:
        refuse_damaged(path)


def _refuse_other_file(part: Path, archive: Path, name: str) -> None:
    """Raise BadInput, in words on the archive, if what was copied from it is no translator."""
    try:
        (read_onnx_metadata if name == ONNX else read_metadata)(part)
    except BadInput as problem:
        given = problem.given.replace(str(part), f"{name} in {archive}")
        raise BadInput(given=given, needed=NEEDED, remedy=REMEDY) from problem


def _sizes(packed: zipfile.ZipFile) -> Mapping[str, int]:
    return {one.filename: one.file_size for one in packed.infolist()}


def _copy(packed: zipfile.ZipFile, archive: Path, name: str, stream: IO[bytes]) -> None:
    """Copy the translator. zipfile reads no more than the size that is told, and compares the CRC."""
    with reading(archive, needed=NEEDED, remedy=REMEDY), packed.open(name) as source:
        shutil.copyfileobj(source, stream, _PIECE)


def _add(packed: zipfile.ZipFile, name: str, path: Path) -> None:
    """Add a file as it is: weights cannot be compressed."""
    entry = zipfile.ZipInfo(name, _DAY)
    entry.external_attr = 0o644 << 16
    entry.create_system = 3  # the same bytes on every system
    with path.open("rb") as source, packed.open(entry, "w", force_zip64=True) as stream:
        shutil.copyfileobj(source, stream, _PIECE)
