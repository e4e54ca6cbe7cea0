"""Pairs that are taken as aligned get the identity, in tables that are read as any other."""

from pathlib import Path

import numpy as np
import pandas as pd

from thermochroma.base.manifest import FRAME_COLUMNS, read_table, write_table
from thermochroma.data.registration.aligned import as_they_are
from thermochroma.data.registration.geometry import IDENTITY
from thermochroma.data.registration.tables import TRANSFORM_COLUMNS, matrices, metrics


def _frames() -> pd.DataFrame:
    rows = [
        {"frame": name, "mount": name, "defect": defect, "width": 32, "height": 24}
        for name, defect in (("a", ""), ("b", "visible image is missing"), ("c", ""))
    ]
    blank = {name: "" if kind == "string" else pd.NA for name, kind in FRAME_COLUMNS.items()}
    return pd.DataFrame([blank | row for row in rows]).astype(FRAME_COLUMNS)


def test_every_sound_pair_gets_the_identity(tmp_path: Path) -> None:
    transforms, estimates = as_they_are(_frames())
    write_table(tmp_path / "transforms.csv", transforms, TRANSFORM_COLUMNS)
    found = read_table(tmp_path / "transforms.csv", TRANSFORM_COLUMNS)
    assert list(found["mount"]) == ["a", "c"]
    assert all(np.array_equal(each, IDENTITY) for each in matrices(found).values())
    assert estimates.empty
    assert metrics(found)["accepted_share"] == 0
    assert set(found["level"]) == {"identity"}
    assert set(found["reason"]) == {"taken as aligned"}
