"""Model of a translator as MLflow keeps it: all that another machine needs to serve it."""

from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import packages_distributions, version
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import numpy as np
from mlflow.models import ModelSignature
from mlflow.types import Schema, TensorSpec

from thermochroma.config.code_fingerprint import Fingerprinter
from thermochroma.export.metadata import read_metadata
from thermochroma.tracking import pyfunc

PACKAGE: Final = "thermochroma"
GREY: Final = (-1, -1, -1)
COLOURED: Final = (-1, -1, -1, 3)
"""Forms of images; each -1 stands for a number that is free."""


@contextmanager
def model_of(
    translator: Path, *, sees: str, text: Path | None, reference: bool, code: Path
) -> Iterator[dict[str, Any]]:
    """Gather what `mlflow.pyfunc.log_model` takes; its files are there until the block ends.

    The whole package goes along as code, not what was imported: a translator finds its method by the
    name of a file, and the package is a tenth of what a translator of full width weighs.
    """
    with TemporaryDirectory() as place:
        folder = Path(place) / "translator"
        folder.mkdir()
        (folder / pyfunc.TRANSLATOR).symlink_to(
            translator.absolute()
        )  # MLflow copies what is there
        if text is not None:
            (folder / pyfunc.TEXT).symlink_to(text.absolute())
        yield {
            "loader_module": pyfunc.__name__,
            "data_path": str(folder),
            "code_paths": [str(code / PACKAGE)],
            "signature": signature_of(sees, reference=reference),
            "pip_requirements": requirements_of(translator, code=code),
        }


def signature_of(sees: str, *, reference: bool) -> ModelSignature:
    """The arrays that the model takes, by name, and the one that it returns."""
    thermal = sees == "thermal"
    taken = [_images(GREY if thermal else COLOURED, name=sees)]
    if reference:
        taken.append(_images(COLOURED, name="reference"))
    predicted = _images(COLOURED if thermal else (*GREY, 1))
    return ModelSignature(inputs=Schema(taken), outputs=Schema([predicted]))


def _images(form: tuple[int, ...], name: str | None = None) -> TensorSpec:
    return TensorSpec(np.dtype(np.uint8), form, name=name)


def requirements_of(translator: Path, *, code: Path) -> list[str]:
    """Packages of others that the served model imports, in the versions that are installed here.

    They are read from the code: from the model's module and its method's with all that these import, also
    inside functions. MLflow adds itself. code: folder that holds the package.
    """
    package = code / PACKAGE
    method = read_metadata(translator).settings["method"]
    starts = [
        package / Path(*pyfunc.__name__.split(".")[1:]).with_suffix(".py"),
        package / "methods" / f"{method}.py",
    ]
    known = packages_distributions()
    names = Fingerprinter(roots=[code]).foreign(starts)
    found = {one for name in names for one in known.get(name, ())}
    # a build for one kind of device ("+cpu") has a name that only its own index knows
    return sorted(f"{one}=={version(one).partition('+')[0]}" for one in found)
