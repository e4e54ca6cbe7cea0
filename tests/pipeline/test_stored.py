"""What stages read of earlier stages: whole, or one sentence that names the file and the next step."""

import ast
import struct
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tests.conftest import ROOT
from thermochroma.base.errors import BadInput
from thermochroma.base.sealed import write_json
from thermochroma.base.tables import write_csv
from thermochroma.baselines.catalogue import BASELINES
from thermochroma.evaluation.gallery import keep_gallery, read_gallery, read_images
from thermochroma.networks.frozen import kind_of
from thermochroma.pipeline.compare import fitting_panel
from thermochroma.pipeline.results import (
    flicker_of,
    read_cost,
    read_curve,
    read_distances,
    read_scores,
    refuse_gaps,
)
from thermochroma.pipeline.stored import read_history, read_means
from thermochroma.pipeline.sweep import tabulate_sweep
from thermochroma.pipeline.track import read_rows
from thermochroma.tracking.journal import digest_of

FRAMES = ["a", "b"]
TRUTHS = [np.zeros((4, 4, 3), np.uint8)] * 2
SPLITS = ("validation", "test")


def _sweep(path: Path) -> object:
    return tabulate_sweep(path, "sample", "one", "methods.one.w", path.with_name("figure"))


READERS: dict[str, Callable[[Path], object]] = {
    "scores.csv": lambda path: read_scores(path.parent),
    "snapshots.csv": lambda path: read_curve(path.parent),
    "flicker.csv": lambda path: flicker_of(path.parent),
    "history.csv": lambda path: read_history(path.parent),
    "table.csv": _sweep,
    "distances.json": lambda path: read_distances(path.parent),
    "cost.json": read_cost,
    "one.json": lambda path: read_means(path, of=SPLITS, needed="means"),
    "baselines.json": read_rows,
    "origin.json": lambda path: kind_of(path.parent),
    "panel.npz": lambda path: fitting_panel(path.parent, TRUTHS),
    "gallery.npz": lambda path: read_gallery(path, FRAMES),
    "images.npz": lambda path: read_images(path, FRAMES),
}


def _gallery() -> bytes:
    scores = {"frame": FRAMES, "sequence": "s", "split": "test", "place": "", "time": ""}
    table = pd.DataFrame(scores | {"psnr": [1.0, 2.0]})
    path = Path("made.npz")
    keep_gallery(path, table, FRAMES, np.stack(TRUTHS))
    return path.read_bytes()


def _huge_head() -> bytes:
    """An array of 2 to the power of 60 images, of which no byte follows."""
    head = b"{'descr': '|u1', 'fortran_order': False, 'shape': (1152921504606846976, 4, 4, 3), }"
    head += b" " * (117 - len(head)) + b"\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(head)) + head


DAMAGES: dict[str, bytes] = {
    "empty": b"",
    "text": "no file of ours ø\n".encode(),
    "Latin-1": "größe,ssim\n1,2\n".encode("latin-1"),
    "binary": bytes(range(256)) * 4,
    "other keys": b'{"other": 1}',
    "other values": b'{"validation": 3, "test": {"psnr": "high"}}',
    "a list": b"[1, 2]",
    "deep": b"[" * 100_000,
    "an open quote": b'frame,ssim,psnr,mse,images,flicker\n"a,1,1,1,1,1\n',
    "words for numbers": b"frame,sequence,split,place,time,ssim,psnr,mse,ssim_7u,images,flicker\n"
    b"a,s,test,,,high,high,high,high,many,much\n",
    "one number": b"3",
    "huge": _huge_head(),
}


@pytest.mark.parametrize("name", READERS)
def test_whatever_lies_there_is_one_sentence(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    path = tmp_path / name
    whole = _gallery()
    damages = DAMAGES | {
        "cut": whole[: len(whole) // 2],
        "within": whole[:200] + b"\0" * 64 + whole[264:],
    }
    sound = {"a list": "history.csv", "other keys": "cost.json", "other values": "cost.json"}
    sound |= {"within": "gallery.npz"}  # the damage is in the images, which are read apart

    def refused() -> None:
        with pytest.raises(BadInput) as sentence:
            READERS[name](path)
        given, remedy = sentence.value.given, sentence.value.remedy
        assert name in given or (name == "table.csv" and "the table has no column" in given)
        assert "dvc repro" in remedy or "write the table anew" in remedy
        assert "\n" not in str(sentence.value)

    refused()
    path.mkdir()
    refused()
    path.rmdir()
    for damage, content in damages.items():
        if name == sound.get(damage):
            continue
        path.write_bytes(content)
        refused()


def test_a_cost_without_a_column_of_the_table_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"cost.json have no device, .*training_device"):
        refuse_gaps({"parameters": 1}, [tmp_path / "cost.json"])


def test_texts_stay_texts_and_numbers_numbers(tmp_path: Path) -> None:
    row = {"frame": "007", "sequence": "01", "split": "test", "place": "", "time": ""}
    table = pd.DataFrame([row | {"ssim": 0.5, "psnr": 1, "mse": 2}])
    write_csv(tmp_path / "scores.csv", table)
    found = read_scores(tmp_path)
    assert found.iloc[0][["frame", "sequence", "place"]].tolist() == ["007", "01", ""]
    assert found["psnr"].tolist() == [1]


def test_what_is_logged_is_whole(tmp_path: Path) -> None:
    known = [name for some in BASELINES.values() for name in some.names]
    scores = {"validation": {"psnr": 1}, "test": {"psnr": 2.5}}
    write_json(tmp_path / "baselines.json", dict.fromkeys(known, scores))
    assert read_rows(tmp_path / "baselines.json") == dict.fromkeys(known, scores)
    assert len(digest_of([tmp_path / "baselines.json"])) == 64


def _unguarded(text: str) -> list[str]:
    """Calls that read a file of an earlier stage outside of a block of `reading`."""
    tree = ast.parse(text)
    guarded: set[int] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.With) and any("reading(" in ast.unparse(one) for one in node.items):
            guarded |= {id(one) for one in ast.walk(node)}
    calls = [one for one in ast.walk(tree) if isinstance(one, ast.Call) and id(one) not in guarded]
    told = [ast.unparse(one) for one in calls]
    return [
        one
        for one in told
        if one.startswith(("pd.read_csv(", "np.load("))
        or (one.startswith("json.loads(") and "read_" in one)
    ]


@pytest.mark.parametrize("room", ["pipeline", "evaluation", "reporting"])
def test_no_reader_lists_what_it_expects_to_go_wrong(room: str) -> None:
    """A new reader is fed here too: it calls the library within `reading`."""
    modules = sorted((ROOT / "src/thermochroma" / room).rglob("*.py"))
    found = {path.name: _unguarded(path.read_text()) for path in modules}
    assert not {name: calls for name, calls in found.items() if calls}
    assert _unguarded("pd.read_csv(path)") == ["pd.read_csv(path)"]
    assert not _unguarded("with reading(path):\n    pd.read_csv(path)")
