"""The benchmark of a GPU in its small form, on a processor; its planner and its ledger."""

import json
import os
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import cv2
import numpy as np
import pytest
import torch
from torch.nn import functional as F
from torch.overrides import TorchFunctionMode

from benchmarks.gpu import roadscene, steps
from benchmarks.gpu.begun import begun
from benchmarks.gpu.form import FULL, SMALL
from benchmarks.gpu.ledger import CODE, Ledger, code_digest, head_of
from benchmarks.gpu.plan import PARTS, Inputs, Part, Piece, parts_of, run_parts
from benchmarks.gpu.synchronisations import watched
from benchmarks.gpu.table import page_of
from benchmarks.gpu.worker import FAILED, Worker
from tests.conftest import ROOT
from tests.examiner import PROCESSOR
from thermochroma.contract.method import Progress
from thermochroma.networks.frozen import FrozenNetworks

LACKING = """
import sys
from importlib.machinery import PathFinder

LACKING = {"dvc", "mlflow", "pytest", "torchmetrics", "skimage", "beartype"}

class Fewer(PathFinder):
    @classmethod
    def find_spec(cls, name, path=None, target=None):
        return None if name.split(".")[0] in LACKING else super().find_spec(name, path, target)

sys.meta_path[:] = [Fewer if one is PathFinder else one for one in sys.meta_path]
"""
"""A `sitecustomize.py` with which Python has the core's packages, but neither DVC nor MLflow."""
NAMES = (
    "FLIR_00006",
    "FLIR_00007",
    "FLIR_00977",
    "FLIR_03801",
)  # two train; one for each other split
MACHINE = {
    "card": "Card",
    "device": "cuda",
    "tf32_in_convolutions": True,
    "cuda": "13.0",
    "cudnn": 9,
    "torch": "2",
    "python": "3",
    "cores": 16,
}


def _roadscene(folder: Path) -> Path:
    """Four pairs, laid out as the authors' archive."""
    random = np.random.default_rng(0)
    for number, name in enumerate(NAMES):
        coarse = random.integers(0, 256, (12 + number, 14, 3), np.uint8)
        visible = cv2.resize(coarse, (300, 270), interpolation=cv2.INTER_CUBIC)
        for spectrum, image in (("crop_LR_visible", visible), ("cropinfrared", visible[..., 1])):
            (folder / spectrum).mkdir(parents=True, exist_ok=True)
            cv2.imwrite(str(folder / spectrum / f"{name}.jpg"), image)
    return folder


def test_the_small_form_measures_everything_without_dvc_and_mlflow(tmp_path: Path) -> None:
    (tmp_path / "lacking").mkdir()
    (tmp_path / "lacking/sitecustomize.py").write_text(LACKING)
    places = (tmp_path / "lacking", ROOT / "src", ROOT)
    options = {
        "--to": tmp_path / "to",
        "--place": tmp_path / "place",
        "--roadscene": _roadscene(tmp_path / "roadscene"),
        "--blocks": "tir2lab,pix2pix",
        "--minutes": 60,  # however busy the machine is
    }
    given = [str(one) for option in options.items() for one in option]
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.gpu", "--small", *given],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(map(str, places)), "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-4000:]
    (path,) = (tmp_path / "to").glob("*.json")
    whole = json.loads(path.read_text())
    results = whole["results"]
    assert not whole["left_out"]
    assert not {name: found for name, found in results.items() if FAILED in found}
    blocks = ("pix2pix", "tir2lab")
    each = (
        "steps/{}",
        "recorded/{}",
        "examination/{}",
        "compiled/{}/one",
        "compiled/{}/largest",
        "roadscene/{}",
    )
    named = {one.format(block) for one in each for block in blocks}
    assert set(results) == named | {"loader", "scoring", "roadscene-images"}
    assert results["roadscene-images"]["pairs"] == {"train": 2, "validation": 1, "test": 1}
    for block in blocks:
        found = results[f"steps/{block}"]
        assert found["float32"]["largest"]["images"] == SMALL.most_images
        assert found["by_hand"]["images_per_second"] > 0
        assert all(cosine > 0.9 for cosine in found["cosines"].values())
        assert results[f"examination/{block}"] == {"faults": {"5": [], "8": [], "9": []}}
        assert results[f"compiled/{block}/one"]["graphs"] > 0
        for name in ("float32", "bfloat16"):
            timed = results[f"recorded/{block}"][name]
            assert timed["plain"]["images_per_second"] > 0
            assert timed["recorded"] == {"refused": "there is no GPU"}
        assert results[f"roadscene/{block}"]["images"] == SMALL.training_images
    assert "`pix2pix`" in path.with_suffix(".md").read_text()


def _ledger(folder: Path) -> Ledger:
    return Ledger(folder, head_of(MACHINE, FULL, "stand-ins", "abc"))


def _part(name: str) -> Part:
    return Part(1.0, 0.0, [Piece(name, "module:function", lambda _: (name,))])


def test_what_was_measured_is_not_measured_again_and_what_failed_is(tmp_path: Path) -> None:
    asked: list[str] = []

    def work(_work: str, name: str, *, limit: float) -> dict[str, Any]:
        asked.append(name)
        return {FAILED: "it broke"} if asked == ["one", "two"] else {"value": len(asked)}

    for _ in range(2):
        ledger = _ledger(tmp_path)
        run_parts(
            [_part(name) for name in ("one", "two", "three")],
            ledger,
            work,  # type: ignore[arg-type]  # no process
            end=time.monotonic() + 60,
            tell=lambda _: None,
        )
    assert asked == ["one", "two", "three", "two"]
    assert _ledger(tmp_path).results == {
        "one": {"value": 1},
        "two": {"value": 4},
        "three": {"value": 3},
    }
    other = Ledger(tmp_path, head_of(MACHINE | {"card": "Other"}, FULL, "stand-ins", "abc"))
    assert not other.results, "results of another card are none of this one"


def test_without_time_everything_is_named_as_left_out(tmp_path: Path) -> None:
    ledger = _ledger(tmp_path)
    inputs = Inputs(FULL, ("pix2pix",), ("pix2pix",), tmp_path, None, tmp_path / "place")
    parts = parts_of(inputs, ledger)
    with Worker() as worker:
        run_parts(parts, ledger, worker, end=time.monotonic(), tell=lambda _: None)
    names = {piece.name for part in parts for piece in part.pieces}
    assert set(ledger.left_out) == names
    page = page_of(ledger, inputs.blocks)
    assert all(f"`{name}`" in page.split("## Left out")[1] for name in names)


def test_a_measurement_that_hangs_or_dies_costs_its_own_result_alone() -> None:
    with Worker() as worker:
        assert worker("time:sleep", 60, limit=1.0) == {FAILED: "it took longer than 1 s"}
        assert worker("os:_exit", 3, limit=60.0) == {FAILED: "its process died with status 3"}
        failed = worker("json:loads", "{", limit=60.0)
        assert failed[FAILED].startswith("JSONDecodeError: ")
        assert worker("json:loads", '{"value": 1}', limit=60.0) == {"value": 1}


@pytest.mark.parametrize(
    ("fits", "cap", "image_seconds", "images", "why"),
    [(4, 64, 0.0, 4, "memory"), (64, 16, 0.0, 16, "cap"), (64, 64, 4.0, 4, "time")],
)
def test_the_largest_batch_is_found_by_halving(
    monkeypatch: pytest.MonkeyPatch,
    fits: int,
    cap: int,
    image_seconds: float,
    images: int,
    why: str,
) -> None:
    def play(_training: object, images: int, _steps: int) -> None:
        if images > fits:
            raise torch.OutOfMemoryError

    monkeypatch.setattr(steps, "play_often", play)
    monkeypatch.setattr(steps, "made_batch", lambda _block, _form, images, _device: images)
    training: Any = SimpleNamespace(optimizers={})
    form = replace(SMALL, most_images=cap)
    until = time.perf_counter() + 60
    found = steps.largest(
        training, "pix2pix", form, PROCESSOR, until=until, image_seconds=image_seconds
    )
    assert (found["images"], found["stopped_by"]) == (images, why)


@pytest.mark.parametrize(("slower", "shown"), [(1, 100), (2, 72)])
def test_a_training_is_as_long_as_there_is_time_for(
    monkeypatch: pytest.MonkeyPatch, slower: int, shown: int
) -> None:
    """A tenth of a second an image: 100 until 10 s; where it gets slower later, none begins past 12.5 s."""
    clock = SimpleNamespace(now=0.0, perf_counter=lambda: clock.now)

    def play_to(
        training: Any, run: Any, _data: object, images: int, _play: object, watchers: Any = ()
    ) -> None:
        while training.progress.images < images:
            clock.now += 0.1 * run.budget.batch_size * (slower if watchers else 1)
            shown = training.progress.images + run.budget.batch_size
            training.progress = replace(training.progress, images=shown)
            for watcher in watchers:
                watcher(training, run.budget.batch_size)

    monkeypatch.setattr(roadscene, "time", clock)
    monkeypatch.setattr(roadscene, "play_to", play_to)
    monkeypatch.setattr(roadscene, "training_dataset", lambda _run: None)
    training: Any = SimpleNamespace(progress=Progress(images=0, of=10**6))
    budget = SimpleNamespace(batch_size=2, window=64)
    run: Any = SimpleNamespace(budget=budget, device=PROCESSOR)
    found = roadscene.teach(training, run, FULL, until=10.01)
    assert (found["images"], found["planned_images"]) == (shown, 100)


def test_numbers_that_the_host_asks_for_are_counted() -> None:
    def play(count: int) -> None:
        for _ in range(count):
            one = torch.ones(())
            assert float(one) + one.item() + len(torch.ones(2).tolist()) == 4 and bool(one)

    found = watched(play, 3, PROCESSOR)
    assert found.waits == {"bool": 1, "float": 1, "item": 1, "tolist": 1}
    assert found.device_seconds is None


class MasksByType(TorchFunctionMode):
    """Dropout as a GPU has it: from the same seed, other values are dropped in half precision."""

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if func is F.dropout and args[0].dtype is torch.bfloat16:
            torch.rand(())
        return func(*args, **(kwargs or {}))


def test_gradients_are_compared_with_the_same_values_dropped(frozen: FrozenNetworks) -> None:
    training = begun("tir2lab", SMALL, frozen, PROCESSOR)
    with MasksByType():
        found = steps.cosines(training, "tir2lab", SMALL, PROCESSOR)
    assert found["translator"] is not None and found["translator"] > 0.95


def test_results_are_of_the_code_that_gave_them(tmp_path: Path) -> None:
    files = [name for name in CODE if "." in name]
    for name in (*files, "src/a.py", "src/b/c.py"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("one")
    (tmp_path / "benchmarks").mkdir()
    before = code_digest(tmp_path)
    (tmp_path / "README.md").write_text("words")
    assert code_digest(tmp_path) == before
    (tmp_path / "src/b/c.py").write_text("two")
    assert code_digest(tmp_path) != before


def test_each_part_has_a_name_by_which_it_can_be_chosen(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path, {"machine": MACHINE})
    inputs = Inputs(SMALL, ("pix2pix",), ("pix2pix",), None, None, tmp_path)
    assert [part.name for part in parts_of(inputs, ledger)] == PARTS.split(",")
