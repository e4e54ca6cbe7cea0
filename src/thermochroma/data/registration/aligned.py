"""Tables of a registration of pairs that are taken to lie on each other: nothing is estimated."""

import math

import pandas as pd

from thermochroma.base.manifest import usable
from thermochroma.data.registration.geometry import IDENTITY
from thermochroma.data.registration.tables import ESTIMATE_COLUMNS, NUMBERS, TRANSFORM_COLUMNS

REASON = "taken as aligned"


def as_they_are(frames: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The identity for every mount, and no estimates; tables as `register` returns them.

    frames: columns of FRAME_COLUMNS; those that are not usable are skipped.
    """
    firsts = usable(frames).drop_duplicates("mount")
    rows = [
        {
            "mount": mount,
            "rig": rig,
            "level": "identity",
            **dict(zip(NUMBERS, map(float, IDENTITY.ravel()), strict=True)),
            "frames_used": 0,
            "accepted": 0,
            "spread_px": math.nan,
            "mean_gain": 0.0,
            "improved_share": 0.0,
            "displacement_px": 0.0,
            "width": width,
            "height": height,
            "reason": REASON,
            "suspicion": "",
        }
        for mount, rig, width, height in firsts[["mount", "rig", "width", "height"]].to_numpy()
    ]
    transforms = pd.DataFrame(rows, columns=list(TRANSFORM_COLUMNS))
    return transforms, pd.DataFrame(columns=list(ESTIMATE_COLUMNS))
