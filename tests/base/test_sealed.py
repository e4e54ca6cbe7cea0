"""A file that was cut, or in which one bit was turned, is noticed when it is read."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from thermochroma.base.errors import BadInput
from thermochroma.base.sealed import is_whole, read_json, seal, write_json
from thermochroma.base.tables import read_csv, write_csv

TABLE = pd.DataFrame({"frame": ["a/0", "a/1", "b/0"], "text": ['"x", y', "", "two\nlines"]})
NEEDED = "a table"


def _turned(content: bytes, bit: int) -> bytes:
    turned = bytearray(content)
    turned[bit // 8] ^= 1 << bit % 8
    return bytes(turned)


def test_a_table_comes_back_and_is_plain_csv(tmp_path: Path) -> None:
    path = tmp_path / "one.csv"
    write_csv(path, TABLE)
    found = read_csv(path, needed=NEEDED, dtype={"text": str}, keep_default_na=False)
    pd.testing.assert_frame_equal(found, TABLE)
    plain = pd.read_csv(path, keep_default_na=False)
    assert plain[["frame", "text"]].equals(TABLE)
    assert plain.columns[2].startswith("rows:3 sha256:")
    assert plain.iloc[:, 2].eq("").all()
    again = tmp_path / "again.csv"
    write_csv(again, TABLE)
    assert again.read_bytes() == path.read_bytes()


def test_a_table_without_rows_is_no_cut_one(tmp_path: Path) -> None:
    path = tmp_path / "one.csv"
    write_csv(path, TABLE.iloc[:0])
    assert read_csv(path, needed=NEEDED).empty
    write_csv(path, TABLE)
    path.write_bytes(path.read_bytes().splitlines(keepends=True)[0])
    with pytest.raises(BadInput, match=r"one\.csv has 0 lines below its head, and 3 rows were"):
        read_csv(path, needed=NEEDED)


@pytest.mark.parametrize("kind", ["csv", "json"])
def test_no_bit_and_no_cut_goes_unnoticed(tmp_path: Path, kind: str) -> None:
    path = tmp_path / f"one.{kind}"
    if kind == "csv":
        write_csv(path, TABLE)
    else:
        write_json(path, {"ssim": 0.5, "split": {"test": 1}})
    whole = path.read_bytes()
    changed = [_turned(whole, bit) for bit in range(8 * len(whole))]
    changed += [whole[:length] for length in range(len(whole))]
    for content in changed:
        path.write_bytes(content)
        with pytest.raises(BadInput, match=path.name):
            read_csv(path, needed=NEEDED) if kind == "csv" else read_json(path, needed=NEEDED)


def test_json_comes_back_and_is_plain_json(tmp_path: Path) -> None:
    path, values = tmp_path / "one.json", {"ssim": 0.5, "split": {"test": 1}, "note": "ø"}
    write_json(path, values)
    assert read_json(path, needed=NEEDED) == values
    assert json.loads(path.read_text()) == {**values, "seal": json.loads(path.read_text())["seal"]}


@pytest.mark.parametrize("name", ["missing.csv", "empty.csv", "plain.csv", "binary.csv", "folder"])
def test_what_is_no_sealed_file_is_said_in_one_sentence(tmp_path: Path, name: str) -> None:
    (tmp_path / "empty.csv").touch()
    (tmp_path / "plain.csv").write_text("frame\na/0\n")
    (tmp_path / "binary.csv").write_bytes(bytes(range(256)) * 9)
    (tmp_path / "folder").mkdir()
    for read in (read_csv, read_json):
        with pytest.raises(BadInput, match=rf"{name} .*dvc repro"):
            read(tmp_path / name, needed=NEEDED)


def test_a_long_file_is_compared_to_its_end(tmp_path: Path) -> None:
    path = tmp_path / "long.json"
    write_json(path, {"values": np.arange(200_000).tolist()})
    assert path.stat().st_size > 1 << 21
    path.write_bytes(_turned(path.read_bytes(), 8 * path.stat().st_size - 24))
    with path.open("rb") as stream:
        assert is_whole(stream) is False


def test_a_file_without_room_for_a_digest_is_a_fault_of_ours(tmp_path: Path) -> None:
    (tmp_path / "one").write_text("nothing")
    with pytest.raises(ValueError, match="no room"):
        seal(tmp_path / "one")
