"""Translators by their names instead of their files: the one in the package, and what was trained here."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from thermochroma.base.errors import BadInput
from thermochroma.base.plugins import nearest
from thermochroma.export.metadata import Metadata, read_metadata

FILE: Final = "translator.safetensors"
STARTER: Final = "starter"
"""Name of the translator that comes with the package, so that a first image needs no training."""
PACKAGED: Final = Path(__file__).parents[1] / "pretrained" / "starter" / FILE
FOR_TRYING: Final = "for trying the program, not for use"


@dataclass(frozen=True)
class Model:
    """One trained translator.

    name: data set and line-up name, `roadscene/pix2pix`. psnr: mean over the test images in dB; None
    where it has not been scored.
    """

    name: str
    path: Path
    title: str
    direction: str
    megabytes: float
    images: int | None
    is_drawn: bool
    psnr: float | None


def known_in(data: Path) -> dict[str, Path]:
    """Files of all translators that have a name: the starter, and those below a project's data.

    The latter are named `data set/name`, in order.
    """
    trained = {path.parent.relative_to(data / "runs").as_posix(): path for path in _files(data)}
    return {STARTER: PACKAGED, **trained}


def read_model(name: str, path: Path, data: Path) -> Model:
    """Read what is known of one translator, without its weights. Raises BadInput for a damaged file."""
    from thermochroma.export.artifact import method_of, title_of  # torch takes seconds to import

    metadata = read_metadata(path)
    return Model(
        name=name,
        path=path,
        title=title_of(metadata),
        direction=method_of(metadata).direction.value,
        megabytes=path.stat().st_size / 1e6,
        images=metadata.images,
        is_drawn=is_drawn(metadata),
        psnr=_test_psnr(data / "scores" / name / "scores.csv"),
    )


def is_drawn(metadata: Metadata) -> bool:
    """Whether a translator was trained on drawn images, which are there to try the program."""
    from thermochroma.contract.dataset import dataset_names, load_dataset  # with pandas

    name = metadata.trained_on
    return name in dataset_names() and load_dataset(name).drawn


def file_of(given: Path, data: Path) -> Path:
    """Find the file of a translator: `given` itself, or what has that name here or in the package.

    A name alone is enough if only one data set has it. Raises BadInput, with all names, otherwise.
    """
    if given.is_file():
        return given
    known, name = known_in(data), given.as_posix()
    if name in known:
        return known[name]
    same = [one for one in known if one.endswith(f"/{name}")]
    if len(same) == 1:
        return known[same[0]]
    if same:
        raise BadInput(
            given=f"`{name}` was trained on several data sets",
            needed=f"one of {', '.join(same)}",
            remedy="name the data set too",
        )
    raise _unknown(name, known, data)


def _files(data: Path) -> list[Path]:
    return sorted(path for path in (data / "runs").glob(f"*/*/{FILE}") if path.is_file())


def _test_psnr(path: Path) -> float | None:
    if not path.exists():
        return None
    from thermochroma.base.tables import read_csv  # with pandas

    table = read_csv(path, needed="the scores of a translator's images")
    found = table[table["split"] == "test"]["psnr"].astype(float)
    return float(found.mean()) if len(found) else None


def _unknown(name: str, known: Mapping[str, Path], data: Path) -> BadInput:
    names = [*known, *(one.partition("/")[2] for one in known if "/" in one)]
    return BadInput(
        given=f"`{name}` is neither a file nor a translator's name{nearest(name, names)}",
        needed=f"a {FILE}, or the name of one: {', '.join(known)}"
        + (
            "" if len(known) > 1 else f" ({data / 'runs'} holds none: nothing was trained here yet)"
        ),
        remedy="correct it, or give a file, or `--data` of the project",
    )
