"""Splits and sequences of a user's own pairs: by blocks of neighbours, by folders, or by a table.

Neighbouring images of a camera are nearly the same one. So neighbours stay together in a sequence,
sequences stay whole in one split, and all tests of the tables are over sequences.
"""

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise
from pathlib import Path
from typing import Final

from thermochroma.base.errors import BadInput
from thermochroma.base.plugins import nearest
from thermochroma.base.reading import reading
from thermochroma.base.splits import SPLITS
from thermochroma.contract.dataset import Split
from thermochroma.data.acquisition.own_folders import subfolder_of

FEWEST: Final = 10
"""Blocks that a split by blocks needs: of ten, two are for testing and one for validation."""
TEST: Final = (2, 7)
VALIDATION: Final = (5,)
SHARE: Final = 20
LARGEST: Final = 50
"""Largest block that is chosen by itself: a twentieth of the pairs, up to this."""
FOLDERS: Final[Mapping[str, Split]] = {
    **dict.fromkeys(("train", "training"), "train"),
    **dict.fromkeys(("validation", "valid", "val"), "validation"),
    **dict.fromkeys(("test", "testing"), "test"),
}
COLUMNS: Final = ("name", "split")
SEQUENCE: Final = "sequence"


@dataclass(frozen=True)
class Placed:
    """Split and sequence of a pair."""

    split: Split
    sequence: str


def by_blocks(pairs: Sequence[str], size: int | None, *, name: str) -> dict[str, Placed]:
    """Place blocks of neighbours; a block lies in one subfolder. size: of a block, in pairs.

    pairs: their names, in order. Raises BadInput for fewer than `FEWEST` blocks.
    """
    blocks = _blocks(pairs, size or block_size(len(pairs)))
    if len(blocks) < FEWEST:
        raise BadInput(
            given=f"the {len(pairs)} pairs of `{name}` are {len(blocks)} blocks of neighbours",
            needed=f"at least {FEWEST} blocks, of which one validates and two test",
            remedy=f"add pairs, lower `sources.{name}.block`, or say with `sources.{name}.split` "
            "which pairs are for what",
        )
    return {
        pair: Placed(_split_of(index), _named(block, index))
        for index, block in enumerate(blocks)
        for pair in block
    }


def by_folders(pairs: Sequence[str], size: int | None, *, name: str) -> dict[str, Placed]:
    """Place pairs by their first subfolder: train, validation or test.

    A subfolder below it is a sequence; where there is none, blocks of neighbours are. Raises BadInput for
    a pair elsewhere.
    """
    splits = {pair: _folder(pair, name) for pair in pairs}
    return _in_sequences(pairs, splits, size or block_size(len(pairs)), depth=1)


def by_table(pairs: Sequence[str], size: int | None, table: Path) -> dict[str, Placed]:
    """Place pairs as a CSV file says, with the columns name, split and, if wanted, sequence.

    Without the third, a subfolder is a sequence if all of it is in one split; elsewhere, blocks of
    neighbours are. Raises BadInput for a table that does not fit the pairs, or a sequence in two splits.
    """
    rows = _read(table)
    _refuse_misfits(pairs, rows, table)
    splits = {pair: _split(rows[pair]["split"], f"{pair} in {table}") for pair in pairs}
    if SEQUENCE in next(iter(rows.values())):
        placed = {pair: Placed(splits[pair], rows[pair][SEQUENCE] or pair) for pair in pairs}
        _refuse_torn(placed, table)
        return placed
    return _in_sequences(pairs, splits, size or block_size(len(pairs)), depth=0)


def block_size(pairs: int) -> int:
    """Size of a block where none is set: a twentieth of the pairs, from 1 to `LARGEST`."""
    return min(max(1, pairs // SHARE), LARGEST)


def _blocks(pairs: Sequence[str], size: int) -> list[list[str]]:
    """Cut each subfolder's pairs into blocks of about `size`, equal but for one pair."""
    blocks = []
    for _, members in groupby(pairs, key=subfolder_of):
        own = list(members)
        count = max(1, round(len(own) / size))
        edges = [index * len(own) // count for index in range(count + 1)]
        blocks += [own[start:end] for start, end in pairwise(edges)]
    return blocks


def _named(block: Sequence[str], index: int) -> str:
    folder = subfolder_of(block[0])
    return f"{folder}/block_{index:04d}" if folder else f"block_{index:04d}"


def _split_of(index: int) -> Split:
    if index % 10 in TEST:
        return "test"
    return "validation" if index % 10 in VALIDATION else "train"


def _in_sequences(
    pairs: Sequence[str], splits: Mapping[str, Split], size: int, *, depth: int
) -> dict[str, Placed]:
    """Sequences of pairs whose splits are known. depth: of subfolders that are no recordings."""
    placed: dict[str, Placed] = {}
    for folder, members in groupby(pairs, key=subfolder_of):
        own = list(members)
        recording = folder.count("/") + bool(folder) > depth
        if recording and len({splits[pair] for pair in own}) == 1:
            placed |= {pair: Placed(splits[pair], folder) for pair in own}
            continue
        for split, run in groupby(own, key=lambda pair: splits[pair]):
            for block in _blocks(list(run), size):
                sequence = f"block_{len(placed):06d}"  # of its first pair's place
                placed |= {
                    pair: Placed(split, f"{folder}/{sequence}" if folder else sequence)
                    for pair in block
                }
    return placed


def _folder(pair: str, name: str) -> Split:
    first = pair.split("/")[0] if "/" in pair else ""
    if first.lower() not in FOLDERS:
        raise BadInput(
            given=f"the pair {pair} of `{name}` lies in no folder of a split",
            needed="images in subfolders train, validation and test of both folders",
            remedy=f"move it, or set `sources.{name}.split: blocks`",
        )
    return FOLDERS[first.lower()]


def _split(text: str, where: str) -> Split:
    if text not in FOLDERS:
        raise BadInput(
            given=f"{where} has the split `{text}`{nearest(text, list(SPLITS))}",
            needed=f"one of {', '.join(SPLITS)}",
            remedy="correct the table",
        )
    return FOLDERS[text]


def _read(table: Path) -> dict[str, dict[str, str]]:
    """The table's rows by the name of the pair."""
    with (
        reading(
            table,
            needed="a CSV file in UTF-8 with the columns name and split",
            remedy="correct the table, or save it so from the program that wrote it",
        ),
        table.open(encoding="utf-8-sig", newline="") as stream,
    ):
        lines = csv.DictReader(stream, strict=True, restval="")
        rows = [{str(key): str(value).strip() for key, value in row.items()} for row in lines]
        columns = list(lines.fieldnames or [])
    if not set(COLUMNS) <= set(columns) or not rows:
        raise BadInput(
            given=f"{table} has {len(rows)} rows with the columns {columns}",
            needed=f"one row for each pair, with the columns {', '.join(COLUMNS)} and, if wanted, "
            f"{SEQUENCE}",
            remedy="correct the table",
        )
    named: dict[str, dict[str, str]] = {}
    for row in rows:
        if named.setdefault(row["name"], row) is not row:
            raise BadInput(
                given=f"{table} names the pair {row['name']} twice",
                needed="one row for each pair",
                remedy="remove one of the rows",
            )
    return named


def _refuse_misfits(pairs: Sequence[str], rows: Mapping[str, object], table: Path) -> None:
    for left, given in (
        ([pair for pair in pairs if pair not in rows], "has no row for the pair"),
        ([row for row in rows if row not in set(pairs)], "has a row for a pair that is not there,"),
    ):
        if left:
            raise BadInput(
                given=f"{table} {given} {left[0]} ({len(left)} in all)",
                needed="one row for each pair; its name is the path in its folder without the suffix, "
                f"such as {pairs[0]}",
                remedy="correct the table",
            )


def _refuse_torn(placed: Mapping[str, Placed], table: Path) -> None:
    splits: dict[str, str] = {}
    for one in placed.values():
        if splits.setdefault(one.sequence, one.split) != one.split:
            raise BadInput(
                given=f"{table} has the sequence {one.sequence} in two splits",
                needed="each sequence in one split: its images are nearly the same one",
                remedy="correct the table",
            )
