"""Measurements that are run by hand; those that import no stage need what `stages` sets, too."""

import os

os.environ.setdefault(
    "CUBLAS_WORKSPACE_CONFIG", ":4096:8"
)  # without it cuBLAS cannot be deterministic
os.environ.setdefault("NO_ALBUMENTATIONS_UPDATE", "1")  # it would ask the network at import
