"""A translator as MLflow's model: complete requirements, a signature, no warning, any size."""

import json
import os
import subprocess
import sys
import warnings
from importlib.metadata import packages_distributions, version
from pathlib import Path

import mlflow.pyfunc
import numpy as np
import pytest

from tests.conftest import ROOT
from tests.examiner import SCALE, method_of, settings_of
from thermochroma.export.artifact import build_translator, save_translator
from thermochroma.export.metadata import Metadata
from thermochroma.tracking import pyfunc
from thermochroma.tracking.mlflow_client import Tracker
from thermochroma.tracking.model import requirements_of, signature_of

CODE = ROOT / "src"
IN_ANOTHER_PROCESS = """
import builtins, sys
from importlib.metadata import packages_distributions
import numpy as np

imported, original = set(), builtins.__import__

def noting(name, globals=None, locals=None, fromlist=(), level=0):
    if str((globals or {}).get("__name__")).startswith("thermochroma") and not level:
        imported.add(name.partition(".")[0])
    return original(name, globals, locals, fromlist, level)

builtins.__import__ = noting
from thermochroma.tracking import pyfunc

model = pyfunc._load_pyfunc(sys.argv[1])
model.predict({"thermal": np.zeros((1, 70, 91), np.uint8)})
known = packages_distributions()
names = imported - sys.stdlib_module_names - {"thermochroma"}
print(*{one for name in names for one in known[name]}, sep="\\n")
"""
"""Serves an image, and prints the distributions of what our modules have imported for it."""


def saved(block: str, folder: Path) -> Path:
    """A translator with fresh weights, in a file of the name that a model's has."""
    method, settings = method_of(block), settings_of(block)
    translator = build_translator(method, settings, scale=SCALE, text_width=0)
    told = json.loads(settings.model_dump_json())
    path = folder / pyfunc.TRANSLATOR
    save_translator(translator, path, Metadata(block, told, SCALE, 0, "made-up", 64, "none", None))
    return path


def test_all_that_a_served_model_imports_is_among_its_requirements(tmp_path: Path) -> None:
    requirements = requirements_of(saved("mugan", tmp_path), code=CODE)
    command = [sys.executable, "-c", IN_ANOTHER_PROCESS, str(tmp_path)]
    environment = os.environ | {"PYTHONPATH": str(CODE), "OMP_NUM_THREADS": "1"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    imported = {*done.stdout.split()}
    assert {"torch", "jaxtyping", "pytorch-msssim"} <= imported
    named = {one.partition("==")[0] for one in requirements}
    assert imported <= named
    assert "opencv-python-headless" in named, "it is imported once a reference is scaled"


def test_requirements_are_those_of_the_code_in_the_versions_that_are_installed(
    tmp_path: Path,
) -> None:
    own = requirements_of(saved("mugan", tmp_path), code=CODE)
    assert f"pytorch-msssim=={version('pytorch-msssim')}" in own
    other = requirements_of(saved("pix2pix", tmp_path), code=CODE)
    assert {one.partition("==")[0] for one in own} - {one.partition("==")[0] for one in other} == {
        "pytorch-msssim"
    }
    named = {one.partition("==")[0] for one in other}
    assert not named & {"thermochroma", "mlflow", "dvc", "pytest", "matplotlib"}
    assert named <= {name for names in packages_distributions().values() for name in names}


def test_the_signature_names_the_arrays() -> None:
    taken = signature_of("thermal", reference=True)
    assert taken.inputs.input_names() == ["thermal", "reference"]
    assert taken.outputs.to_dict()[0]["tensor-spec"]["shape"] == (-1, -1, -1, 3)
    back = signature_of("visible", reference=False)
    assert back.inputs.to_dict()[0]["tensor-spec"]["shape"] == (-1, -1, -1, 3)
    assert back.outputs.to_dict()[0]["tensor-spec"]["shape"] == (-1, -1, -1, 1)


def test_it_is_logged_without_a_warning_and_translates_what_cameras_give(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each training printed "Failed to infer signature from type hint", in red."""
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    translator, tracker = saved("pix2pix", tmp_path), Tracker("d", root=tmp_path)
    with warnings.catch_warnings(), tracker.training("m", name="m", tags={}) as run:
        warnings.simplefilter("error", UserWarning)
        run.log_model(
            translator, sees="thermal", text=None, reference=False, register_as="d-m", code=CODE
        )
    model = mlflow.pyfunc.load_model("models:/d-m/1")
    image = np.random.default_rng(0).integers(0, 256, (1, 512, 640), np.uint8)
    found = model.predict({"thermal": image})
    expected = pyfunc._load_pyfunc(str(tmp_path)).predict({"thermal": image})
    assert found.shape == (1, 512, 640, 3)
    assert np.array_equal(found, expected)
    with pytest.raises(mlflow.MlflowException, match="float"):
        model.predict({"thermal": image / 255})
