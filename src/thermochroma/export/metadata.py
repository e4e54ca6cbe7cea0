"""Metadata stored in a translator file. Reading it needs neither the weights nor torch."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Annotated, Any, Final, TypeAlias

from pydantic import Field, TypeAdapter
from safetensors import safe_open

from thermochroma.base.errors import BadInput
from thermochroma.base.plugins import names_in
from thermochroma.base.reading import reading
from thermochroma.base.sealed import SEAL, refuse_changed

KEY = "thermochroma"
NEEDED: Final = "a translator.safetensors that this version of Thermochroma can build"
REMEDY: Final = "give another translator, or use the version that wrote this one"
Shapes: TypeAlias = Mapping[str, tuple[int, ...]]
"""Shape of each tensor of a file, by its name."""
RENAMED: Final = {"per_picture": "per_image", "picture_alone": "image_alone"}
"""Values of settings in files of the first version, and their names today."""


@dataclass(frozen=True)
class Metadata:
    """Facts that suffice to build the translator again, and its origin."""

    name: str
    """Name of the translator in the line-up."""
    settings: dict[str, Any]
    """Block of params.yaml that it was trained with, as parsed."""
    scale: Annotated[float, Field(gt=0, le=16)]
    """Factor of every base width. The bounds here are far from any use: the file may be a stranger's."""
    text_width: Annotated[int, Field(ge=0, le=1 << 16)]
    """Width of the text features that it was trained with; 0 if it sees no text."""
    trained_on: str
    """Name of the data set."""
    side: int
    """Height and width of the training images, in pixels."""
    frozen: str
    """Provenance of the weights of the frozen networks in its training: published, stand-ins."""
    images: int | None
    """Images shown to it in training; None if that is not known."""


def read_metadata(path: Path) -> Metadata:
    """Metadata without the weights. Raises BadInput if the file is no translator of this version."""
    return read_head(path)[0]


def read_head(path: Path) -> tuple[Metadata, Shapes]:
    """Metadata and the shape of each tensor, by its name; no weight is read.

    Raises BadInput if the file is no translator of this version.
    """
    refuse_damaged(path)
    with reading(path, needed=NEEDED, remedy=REMEDY), safe_open(path, framework="numpy") as stored:
        told = stored.metadata() or {}
        shapes = {name: tuple(stored.get_slice(name).get_shape()) for name in stored.keys()}  # noqa: SIM118
    if KEY not in told:
        raise BadInput(
            given=f"{path} is no translator: it does not say how it was made",
            needed=NEEDED,
            remedy=REMEDY,
        )
    with reading(path, needed=NEEDED, remedy=REMEDY):
        found = json.loads(told[KEY])
        _refuse_other_keys(found)
        kept = {key: value for key, value in found.items() if key != SEAL}
        new = json.dumps({**kept, "settings": _renamed(found["settings"])})
        metadata = ADAPTER.validate_json(new, strict=True)
    _refuse_other_method(path, metadata)
    return metadata, shapes


def _refuse_other_keys(found: Any) -> None:
    """Raise TypeError unless these are the fields of Metadata: pydantic would pass over other ones."""
    if not isinstance(found, dict):
        raise TypeError("its metadata are no mapping")
    if odd := sorted(set(found) - {SEAL} ^ {one.name for one in fields(Metadata)}):
        raise TypeError(f"its metadata lack `{odd[0]}` or have it too many")


def _refuse_other_method(path: Path, metadata: Metadata) -> None:
    method, title = metadata.settings.get("method"), metadata.settings.get("title")
    if method not in names_in("methods") or not isinstance(title, str | None):
        raise BadInput(
            given=f"{path} is of the method {method!r}, which this version does not have",
            needed=NEEDED,
            remedy=REMEDY,
        )


def _renamed(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _renamed(one) for key, one in value.items()}
    return RENAMED.get(value, value) if isinstance(value, str) else value


ADAPTER: Final = TypeAdapter(Metadata)


def refuse_damaged(path: Path) -> None:
    """Raise BadInput if the bytes of a translator are not those that were written.

    A file of the time before translators carried a digest is taken as it is.
    """
    with reading(path, needed=NEEDED, remedy=REMEDY):
        stream = path.open("rb")
    with stream:
        refuse_changed(
            path,
            stream,
            remedy="give another translator, or a sound copy of this one",
            sealed=False,
        )
