"""A data set's scores for a terminal: rows by PSNR, with a few columns of the tables of `compare`."""

from collections.abc import Collection
from pathlib import Path
from typing import Any, Final

import pandas as pd

from thermochroma.base.errors import BadInput
from thermochroma.base.reading import reading
from thermochroma.pipeline.stored import AGAIN, SUFFIX

WIDTH: Final = 100
"""Columns of a terminal that no line goes beyond."""
TEXTS: Final = ("row", "title", "kind")
NEEDED: Final = "the table of all rows, as the stage `compare` writes it"
NUMBERS: Final = ("psnr", "psnr_low", "psnr_high", "ssim", "lpips_alex")
SEEDS: Final = ("runs", "runs_sd_psnr")
HEADING: Final = ("kind", "PSNR [dB]", "95 % interval", "SSIM", "LPIPS", "seeds")
FROM: Final = {"visible": "thermal to visible", "thermal": "visible to thermal"}


def results_of(dataset: str, tables: Path, *, split: str, trained: Collection[str]) -> str:
    """Print the tables of one data set, a line a row; below them what is missing.

    tables: the folder of its tables. trained: rows of methods that there should be. Oracles are left out.
    """
    found = {
        spectrum: _read(path)
        for spectrum, suffix in SUFFIX.items()
        if (path := tables / f"{split}{suffix}.csv").is_file()
    }
    if not found:
        return (
            f"{dataset}: there are no scores yet; `dvc repro compare@{dataset}`, or `make repro`, "
            f"writes {tables / split}.csv.\n"
        )
    parts = [_table(f"{dataset}, {split} split", FROM[one], found[one], trained) for one in found]
    there = {str(name) for table in found.values() for name in table["row"]}
    parts += [
        f"{dataset}: `{name}` is to be trained and has no row yet; `dvc repro compare@{dataset}` adds it.\n"
        for name in trained
        if name not in there
    ]
    return "\n".join([*parts, f"All columns: {tables / split}*.md\n"])


def _read(path: Path) -> pd.DataFrame:
    """Read one table: it is for people, and carries no digest of itself."""
    with reading(path, needed=NEEDED, remedy=AGAIN):
        table = pd.read_csv(path, dtype=dict.fromkeys(TEXTS, str))
        numbers = [
            *NUMBERS,
            *(name for name in SEEDS if name in table),
        ]  # only where there are repeats
        table = table[[*TEXTS, *numbers]].astype(dict.fromkeys(numbers, float))
    if table[[*TEXTS]].isna().to_numpy().any():
        raise BadInput(
            given=f"{path} has a row without a name or a kind", needed=NEEDED, remedy=AGAIN
        )
    return table


def _table(about: str, direction: str, table: pd.DataFrame, trained: Collection[str]) -> str:
    """The heading, and a line for each row but oracles, which see the truth: the best PSNR first."""
    scored = table[(table["kind"] != "oracle") & table["psnr"].notna()]
    shown = scored.sort_values("psnr", ascending=False, kind="stable")
    cells = [HEADING, *(_cells(row, trained) for _, row in shown.iterrows())]
    wide = [max(map(len, column)) for column in zip(*cells, strict=True)]
    room = WIDTH - sum(wide) - 2 * len(wide)
    titles = ["", *(_within(title, room) for title in shown["title"])]
    first = max(map(len, titles))
    lines = [f"{about}, {direction}"]
    for title, some in zip(titles, cells, strict=True):
        aligned = (text.rjust(width) for text, width in zip(some, wide, strict=True))
        lines.append("  ".join([title.ljust(first), *aligned]).rstrip())
    if unscored := [*table.loc[table["psnr"].isna(), "title"]]:
        lines.append(f"Not trained here: {', '.join(unscored)}.")
    return "\n".join([*lines, ""])


def _cells(row: "pd.Series[Any]", trained: Collection[str]) -> tuple[str, ...]:
    low, high = (_number(row[key], 2) for key in ("psnr_low", "psnr_high"))
    return (
        str(row["kind"]),
        _number(row["psnr"], 2),
        f"{low} to {high}" if low and high else "",
        _number(row["ssim"], 3),
        _number(row["lpips_alex"], 3),
        _seeds(row) if row["row"] in trained else "",
    )


def _seeds(row: "pd.Series[Any]") -> str:
    """The number of trainings of a row, with the standard deviation of their PSNR where it is known."""
    count, spread = _number(row.get("runs"), 0), _number(row.get("runs_sd_psnr"), 2)
    return f"{count or 1} (± {spread})" if spread else count or "1"


def _number(value: Any, digits: int) -> str:
    return "" if value is None or pd.isna(value) else f"{value:.{digits}f}"


def _within(title: str, room: int) -> str:
    return title if len(title) <= room else f"{title[: room - 1]}…"
