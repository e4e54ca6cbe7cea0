"""Addresses of pages in MLflow's UI that show a list of runs in the order in which it is read."""

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Final
from urllib.parse import quote

from thermochroma.tracking.places import PATIENCE_SECONDS

SCORE: Final = "evaluation/test/psnr"
PREDICTS: Final = "visible"
NOT_OURS: Final = 0
"""Number of MLflow's own experiment, "Default", in which nothing of ours is."""


def run_lists(database: Path, server: str) -> dict[str, str]:
    """Addresses of the lists of runs that predict visible images, best test PSNR first, by data set.

    server: address of the UI. Empty if there is no database yet. Raises sqlite3.Error for a file that
    is none.
    """
    if not database.exists():
        return {}
    with closing(sqlite3.connect(database, timeout=PATIENCE_SECONDS)) as store:
        tables = {name for (name,) in store.execute("SELECT name FROM sqlite_master")}
        if "experiments" not in tables:
            return {}
        found = store.execute(
            "SELECT name, experiment_id FROM experiments WHERE lifecycle_stage = 'active' "
            "AND experiment_id != ? ORDER BY name",
            [NOT_OURS],
        ).fetchall()
    return {str(name): f"{server}/#/experiments/{number}/runs?{_query()}" for name, number in found}


def _query() -> str:
    """Filter and order of a list of runs, as the UI of MLflow 3.17 keeps them in its address."""
    wanted = {
        "searchFilter": f"tags.predicts = '{PREDICTS}'",
        "orderByKey": f"metrics.`{SCORE}`",
        "orderByAsc": "false",
    }
    return "&".join(f"{key}={quote(value, safe='')}" for key, value in wanted.items())
