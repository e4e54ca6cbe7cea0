"""Report of a download, as text and as metrics: frames, defects, differences from published numbers."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final

import pandas as pd

from thermochroma.base.cells import markdown_row
from thermochroma.base.manifest import usable
from thermochroma.data.acquisition.inspect import kind_of
from thermochroma.data.acquisition.ledger import Download

NAMES_SHOWN: Final = 3


def metrics(table: pd.DataFrame) -> dict[str, int]:
    """Count the usable and other frames of a table of FRAME_COLUMNS, and the frames of each defect.

    Keys of defects are made of their words: "thermal_image_is_missing".
    """
    kinds = _kinds(table)
    counts = {re.sub(r"\W+", "_", kind): len(rows) for kind, rows in kinds}
    return {
        "frames": len(table),
        "usable": len(usable(table)),
        "left_out": int((_sound(table) & (table["left_out"] != "")).sum()),
        "defective": int((~_sound(table)).sum()),
        **counts,
    }


def audit(
    table: pd.DataFrame,
    *,
    title: str,
    note: str,
    remarks: Sequence[str],
    warnings: Sequence[str],
    downloads: Mapping[str, Download] | None = None,
) -> str:
    """Write the report as Markdown, sequence by sequence, with the first frames of each defect.

    remarks: differences from the published numbers of the data set. warnings: differences from
    published checksums. downloads: what came from each address.
    """
    parts: dict[str, Iterable[str]] = {
        "## Frames": _frames(table),
        "## Defects": _defects(table),
        "## What differs from what is known of the data": _listed(remarks),
        "## What differs from the published checksums": _listed(warnings),
    }
    if downloads:
        parts["## What was downloaded"] = _downloads(downloads)
    blocks = [f"# {title}: what the download has found", *([note] if note else [])]
    for heading, lines in parts.items():
        blocks += [heading, "\n".join(lines)]
    return "\n\n".join(blocks) + "\n"


def _frames(table: pd.DataFrame) -> Iterator[str]:
    numbers = pd.DataFrame(
        {
            "sequence": table["sequence"],
            "split": table["split"],
            "frames": 1,
            "usable": _sound(table) & (table["left_out"] == ""),
            "left out": _sound(table) & (table["left_out"] != ""),
            "defective": ~_sound(table),
        }
    )
    groups = numbers.groupby(["sequence", "split"], sort=False).sum().astype(int).reset_index()
    yield markdown_row([str(name).capitalize() for name in groups.columns])
    yield markdown_row([":--", ":--", *["--:"] * (len(groups.columns) - 2)])
    yield from map(markdown_row, groups.itertuples(index=False, name=None))
    yield markdown_row(["all", "", *groups.iloc[:, 2:].sum()])


def _downloads(downloads: Mapping[str, Download]) -> Iterator[str]:
    yield markdown_row(["Address", "Bytes", "SHA-256"])
    yield markdown_row([":--", "--:", ":--"])
    for url, one in downloads.items():
        yield markdown_row([url, one.bytes, one.sha256])


def _defects(table: pd.DataFrame) -> Iterator[str]:
    kinds = _kinds(table)
    if not kinds:
        yield "None."
        return
    yield markdown_row(["Defect", "Frames", "First of them"])
    yield markdown_row([":--", "--:", ":--"])
    for kind, rows in kinds:
        names = list(rows["frame"][:NAMES_SHOWN])
        more = " …" if len(rows) > len(names) else ""
        yield markdown_row([kind, len(rows), ", ".join(names) + more])


def _kinds(table: pd.DataFrame) -> list[tuple[str, pd.DataFrame]]:
    """The frames of each kind of defect, the most frequent first."""
    faulty = table[~_sound(table)]
    groups = faulty.groupby(faulty["defect"].map(kind_of))
    return sorted(
        ((str(kind), rows) for kind, rows in groups), key=lambda one: (-len(one[1]), one[0])
    )


def _sound(table: pd.DataFrame) -> "pd.Series[bool]":
    return table["defect"] == ""


def _listed(sentences: Sequence[str]) -> list[str]:
    return [f"- {sentence}" for sentence in sentences] or ["Nothing."]
