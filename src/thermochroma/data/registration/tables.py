"""Result tables of a registration: columns, reading, comparison with the truth, metrics."""

from collections.abc import Mapping
from typing import Final

import numpy as np
import pandas as pd

from thermochroma.contract.dataset import Matrix
from thermochroma.data.registration.geometry import IDENTITY, corner_distance

NUMBERS: Final = ("m00", "m01", "m02", "m10", "m11", "m12")

TRANSFORM_COLUMNS: Final = {
    "mount": "string",
    "rig": "string",  # "" if the mount has none
    "level": "string",  # mount | still | rig | identity
    **dict.fromkeys(NUMBERS, "Float64"),  # row by row: visible pixel -> thermal pixel, raw pixels
    "frames_used": "Int64",  # frames that estimated
    "accepted": "Int64",
    "spread_px": "Float64",  # of the accepted estimates; empty for fewer than two
    "mean_gain": "Float64",
    "improved_share": "Float64",
    "displacement_px": "Float64",  # mean over the corners
    "width": "Int64",  # of the raw images
    "height": "Int64",
    "reason": "string",  # why the mount's own frames gave no transform; "" if they gave one
    "suspicion": "string",  # how it disagrees with its rig; "" if it does not
}
"""Columns of the table of transforms, one row per mount."""

ESTIMATE_COLUMNS: Final = {
    "frame": "string",
    "mount": "string",
    "role": "string",  # vote: estimated; confirm: scored the vote; rig: scored the rig's transform
    "accepted": "Int64",  # 1 if the frame gains enough (vote) or at all (confirm, rig), else 0
    "candidate": "string",
    "score_identity": "Float64",
    "score": "Float64",
    "gain": "Float64",
    "displacement_px": "Float64",
    "reason": "string",
}
"""Columns of the table of estimates, one row per frame and role."""


def matrices(transforms: pd.DataFrame) -> dict[str, Matrix]:
    """The transform of each mount: visible pixel to thermal pixel, in raw pixels."""
    numbers = transforms[list(NUMBERS)].to_numpy(np.float64).reshape(-1, 2, 3)
    return dict(zip(transforms["mount"], numbers, strict=True))


def compare_with_truth(transforms: pd.DataFrame, truth: Mapping[str, Matrix]) -> pd.DataFrame:
    """Mean corner error of each mount in raw pixels: columns mount, before_px, after_px.

    Before: under the identity. Raises KeyError for a mount whose truth is not known.
    """
    found = matrices(transforms)
    rows = [
        {
            "mount": mount,
            "before_px": corner_distance(IDENTITY, truth[mount], (width, height)),
            "after_px": corner_distance(found[mount], truth[mount], (width, height)),
        }
        for mount, width, height in transforms[["mount", "width", "height"]].itertuples(index=False)
    ]
    return pd.DataFrame(rows, columns=["mount", "before_px", "after_px"])


def metrics(transforms: pd.DataFrame, errors: pd.DataFrame | None = None) -> dict[str, float]:
    """Summary metrics of a registration over mounts; `errors` is `compare_with_truth`'s table."""
    figures = {
        "mounts": float(len(transforms)),
        "accepted_share": float((transforms["level"] != "identity").mean()),
        "mean_gain": float(transforms["mean_gain"].mean()),
        "displacement_median_px": float(transforms["displacement_px"].median()),
    }
    if (transforms["rig"] != "").any():
        figures["borrowed_share"] = float((transforms["level"] == "rig").mean())
        figures["suspicious_share"] = float((transforms["suspicion"] != "").mean())
    if errors is None:
        return figures
    for when in ("before", "after"):
        residual = errors[f"{when}_px"]
        figures[f"error_{when}_median_px"] = float(residual.median())
        figures[f"error_{when}_p95_px"] = float(residual.quantile(0.95))
    return figures
