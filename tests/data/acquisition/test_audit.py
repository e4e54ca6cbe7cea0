"""The audit: what is counted, how it is written, and that the stage leaves it behind."""

import json
import subprocess
import sys
from pathlib import Path

import pandas as pd

from tests.conftest import ROOT
from tests.examiner import raw_params, write_params
from tests.made_data import make_msrs
from thermochroma.base.manifest import FRAME_COLUMNS, read_table
from thermochroma.data.acquisition.audit import audit, metrics
from thermochroma.data.acquisition.ledger import Download

ROWS = [  # sequence, defect, left out
    ("set00/V000", "", ""),
    ("set00/V000", "thermal image is missing", ""),
    ("set00/V000", "", "thinned evenly to 2 frames"),
    ("set00/V001", "sizes differ: thermal 640x512, visible 320x256", ""),
    ("set00/V001", "sizes differ: thermal 640x512, visible 16x8", "left out, too"),
    ("set00/V001", "", ""),
]


def table() -> pd.DataFrame:
    rows = [
        {
            "frame": f"f{n}",
            "sequence": sequence,
            "split": "train",
            "defect": defect,
            "left_out": out,
        }
        for n, (sequence, defect, out) in enumerate(ROWS)
    ]
    return pd.DataFrame(rows).reindex(columns=list(FRAME_COLUMNS), fill_value="")


def test_every_frame_is_counted_once() -> None:
    counts = metrics(table())
    assert counts == {
        "frames": 6,
        "usable": 2,
        "left_out": 1,
        "defective": 3,
        "sizes_differ": 2,
        "thermal_image_is_missing": 1,
    }
    assert counts["frames"] == counts["usable"] + counts["left_out"] + counts["defective"]


def test_the_audit_names_sequences_defects_remarks_and_checksums() -> None:
    text = audit(
        table(),
        title="KAIST",
        note="",
        remarks=["set00 has 6 frames, the published data 17498"],
        warnings=["set00_V000.zip has another MD5"],
    )
    assert (
        text
        == """\
# KAIST: what the download has found

## Frames

| Sequence | Split | Frames | Usable | Left out | Defective |
| :-- | :-- | --: | --: | --: | --: |
| set00/V000 | train | 3 | 1 | 1 | 1 |
| set00/V001 | train | 3 | 1 | 0 | 2 |
| all |  | 6 | 2 | 1 | 3 |

## Defects

| Defect | Frames | First of them |
| :-- | --: | :-- |
| sizes differ | 2 | f3, f4 |
| thermal image is missing | 1 | f1 |

## What differs from what is known of the data

- set00 has 6 frames, the published data 17498

## What differs from the published checksums

- set00_V000.zip has another MD5
"""
    )


def test_a_name_with_a_bar_or_a_line_break_stays_one_cell() -> None:
    named = table().replace({"f0": "a|b\nc"})
    named.loc[0, "defect"] = "thermal image is constant"
    text = audit(named, title="Sample", note="", remarks=(), warnings=())
    assert "| thermal image is constant | 1 | a&#124;b c |" in text


def test_what_was_downloaded_is_told_with_its_checksum() -> None:
    downloads = {"https://example.org/a.zip": Download("0" * 64, 12)}
    text = audit(table(), title="", note="", remarks=(), warnings=(), downloads=downloads)
    assert "## What was downloaded\n\n| Address | Bytes | SHA-256 |" in text
    assert f"| https://example.org/a.zip | 12 | {'0' * 64} |" in text


def test_where_nothing_is_wrong_it_says_so() -> None:
    sound = table()[lambda rows: rows["defect"] == ""]
    text = audit(sound, title="Sample", note="drawn, not KAIST", remarks=(), warnings=())
    assert text.startswith("# Sample: what the download has found\n\ndrawn, not KAIST\n\n## Frames")
    assert text.count("Nothing.") == 2
    assert "None." in text


def test_the_stage_writes_table_audit_and_numbers(tmp_path: Path) -> None:
    make_msrs(tmp_path / "copy", 8)
    params = raw_params()
    params["sources"]["msrs"] |= {
        "source": str(tmp_path / "copy"), "image_size": [80, 60], "on_defect": "drop",
        "profile": "authors",
    }  # fmt: skip
    for kind in ("ir", "vi"):  # a number that is held out for validation
        part = tmp_path / "copy/train" / kind
        (part / "00002D.png").rename(part / "00251D.png")
    (tmp_path / "copy/train/ir/00001D.png").unlink()
    write_params(tmp_path / "params.yaml", params)
    options = {"dataset": "msrs", "params": "params.yaml", "raw": "raw", "frames": "frames.csv"}
    options |= {"report": "report", "metrics": "download.json"}
    words = [word for name, value in options.items() for word in (f"--{name}", value)]
    subprocess.run(
        [sys.executable, "-m", "stages.download", *words],
        cwd=tmp_path,
        env={"PYTHONPATH": f"{ROOT}:{ROOT / 'src'}", "PATH": ""},
        check=True,
    )
    written = read_table(tmp_path / "frames.csv", FRAME_COLUMNS)
    numbers = json.loads((tmp_path / "download.json").read_text())
    assert numbers == metrics(written)
    assert numbers["frames"] == 8
    assert numbers["thermal_image_is_missing"] == 1
    assert "| thermal image is missing | 1 |" in (tmp_path / "report/audit.md").read_text()
