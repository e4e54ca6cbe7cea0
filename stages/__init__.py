"""Thin scripts, one a stage. Importing this package puts this workspace's `src` first.

A queued DVC experiment runs in a copy of the workspace; without this it would import the code of the
workspace that the package was installed from.
"""

import os
import sys
from pathlib import Path

from stages.preflight import check_environment

check_environment()

from stages.watch import end_with_dvc, say_interrupted  # noqa: E402  # needs a package of the environment

say_interrupted()  # here, for what a stage imports takes seconds
end_with_dvc()

_SRC = str(Path(__file__).resolve().parents[1] / "src")
if sys.path[0] != _SRC:
    sys.path.insert(0, _SRC)

for _name, _value in {
    "CUBLAS_WORKSPACE_CONFIG": ":4096:8",  # without it cuBLAS cannot be deterministic
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "NO_ALBUMENTATIONS_UPDATE": "1",  # it would ask the network at import
}.items():
    os.environ.setdefault(_name, _value)
