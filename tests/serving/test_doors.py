"""One image through every door: the predictor's bytes, or by ONNX Runtime one grey level from them."""

import sys
from pathlib import Path

import numpy as np
import pytest

from benchmarks.served import HERE, answered, images_of, logged, made_image, served
from tests.serving.test_onnx import sizes_as_tensors
from thermochroma.serving.cli import main
from thermochroma.serving.models import PACKAGED
from thermochroma.tracking import pyfunc


def test_one_image_is_the_same_through_every_door(tmp_path: Path) -> None:
    """The server is MLflow's own, over HTTP, in this environment; the model brings its code along."""
    pytest.importorskip("onnx", reason="the extra `export` is not installed")
    image = made_image("thermal")[:101, :150]
    onnx = tmp_path / "translator.onnx"
    with sizes_as_tensors():
        main(["export", str(PACKAGED), "--onnx", str(onnx)])
    found = images_of(PACKAGED, onnx, image, tmp_path)
    model = logged(PACKAGED, "thermal", tmp_path / "project")
    (data,) = (one.parent for one in model.rglob(pyfunc.TRANSLATOR) if "code" not in one.parts)
    (found["MLflow in Python"],) = pyfunc._load_pyfunc(str(data)).predict({"thermal": image[None]})
    with served(model, Path(sys.executable)) as address:
        found["MLflow's server"] = answered(address, "thermal", image)
    wanted = found.pop(HERE)
    assert wanted.shape == (101, 150, 3)
    assert wanted.std() > 10, "an image with levels to compare"
    assert len(found) == 6
    for door, one in found.items():
        apart = np.abs(one.astype(int) - wanted).max()
        assert apart <= ("ONNX" in door), door
