"""Benchmarks are run by hand; what they make up and read must be what the stages know today."""

import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

from benchmarks import (
    ablations,
    cropping,
    cycles,
    latency,
    lpips_parity,
    many_runs,
    many_trainings,
    tile_guides,
    tiles,
    turned,
)
from benchmarks.gpu.begun import begun
from benchmarks.gpu.form import SMALL
from tests.examiner import (
    IMAGES,
    PARAMS,
    PROCESSOR,
    SCALE,
    batch_of,
    begin,
    raw_params,
    settings_of,
    write_params,
)
from tests.serving.test_onnx import sizes_as_tensors
from thermochroma.base.errors import BadInput
from thermochroma.base.images import write_image
from thermochroma.config.params import read_params
from thermochroma.inference.tiles import Tiling
from thermochroma.networks.frozen import FrozenNetworks
from thermochroma.serving.models import PACKAGED
from thermochroma.tracking.mlflow_client import Tracker
from thermochroma.training.loop import play


def test_made_frames_are_cropped_as_the_stage_crops(tmp_path: Path) -> None:
    cropping.make_images(tmp_path, cropping.SMALL)
    measured = cropping.measure(tmp_path, 48, cropping.SMALL, 32)
    assert measured.cut > 0


@pytest.mark.parametrize(
    ("runtime", "block"), [("torch", "cmmf_net"), ("onnx", "thermochroma_small")]
)
def test_either_library_is_timed(
    runtime: str, block: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "1")  # taken back at the end
    if runtime == "onnx":
        with sizes_as_tensors():
            latency.export(PARAMS, block, tmp_path)
    case = latency.Case(runtime, block, 40, 34, batch=2, threads=1)
    cost = latency.measure(PARAMS, case, tmp_path)
    assert len(cost.wall) == len(cost.processor) == latency.TIMED


def test_tiles_that_disagree_are_told_from_those_that_agree() -> None:
    image = np.add.outer(np.arange(128), np.arange(160)).astype(np.uint8) // 2
    levels = iter(np.array([0, 40] * 20, np.uint8))

    def drifting(images: np.ndarray, reference: None, *, sharpness: float) -> np.ndarray:
        return (images + next(levels))[..., None]

    def same(images: np.ndarray, reference: None, *, sharpness: float) -> np.ndarray:
        return images[..., None]

    whole = image[..., None]
    alone, guided = (Tiling(64, 16, guided=one) for one in (False, True))
    assert tiles.measure(same, image, whole, alone).overlap == 0
    assert tiles.measure(same, image, whole, alone).pixels == 0
    assert tiles.measure(drifting, image, whole, alone).overlap > 15
    assert tiles.measure(drifting, image, whole, guided).overlap < 1


def test_an_unknown_library_is_not_timed() -> None:
    with pytest.raises(BadInput, match="--runtimes names 'tensorrt'; some of torch, onnx"):
        latency.refuse_unknown(["onnx", "tensorrt"])


def test_rows_of_validation_readings_are_no_readings_of_a_cycle(tmp_path: Path) -> None:
    term = f"{cycles.PREFIX}{min(cycles.ROUND_TRIPS)}_thermal"
    rows = [{"images": n, term: 1.0} for n in range(cycles.PARTS)]
    rows += [{"images": cycles.PARTS, "validation/psnr": 12.0}]
    pd.DataFrame(rows).to_csv(tmp_path / "history.csv", index=False)
    (curve,) = cycles.round_trips(tmp_path / "history.csv").values()
    assert (curve["error"] == 1).all()
    pd.DataFrame(rows[1:]).to_csv(tmp_path / "history.csv", index=False)
    with pytest.raises(BadInput, match="readings of 1 round trips"):
        cycles.round_trips(tmp_path / "history.csv")


def test_a_missing_package_of_lpips_is_told_in_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="holds no package `lpips`"):
        lpips_parity.authors_network(tmp_path, "alex", tmp_path / "model.safetensors")


def test_the_mean_alone_is_taught_as_in_the_whole_game(frozen: FrozenNetworks) -> None:
    block, seed = "thermochroma_small", 3
    settings, budget = settings_of(block), read_params(PARAMS).budget["sample"]
    budget = budget.model_copy(update={"scale": SCALE, "images": IMAGES})
    whole = begin(block, frozen, seed=seed)
    for number in range(2):
        play(whole, batch_of(block, seed=number))
    alone = ablations.begun(
        settings, budget, ablations.VARIANTS[0], frozen, frames=1, seed=seed, device=PROCESSOR
    )
    for number in range(2):
        play(alone, batch_of(block, seed=number))
    for part in ("encoder", "decoder", "mean"):
        one, other = (
            getattr(training.translator, part).state_dict() for training in (whole, alone)
        )
        assert one.keys() == other.keys()
        for name in one:  # some processors add up in an order that depends on where a tensor lies
            torch.testing.assert_close(one[name], other[name], rtol=1e-5, atol=1e-6)


def test_what_a_guide_was_decided_by_is_printed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    image = np.add.outer(np.arange(96), np.arange(128)).astype(np.uint8)
    write_image(tmp_path / "a.png", image)
    tile_guides.main(PACKAGED.parent, *[tmp_path] * 3, count="1", size="128x96", tile="64")
    *_, row = capsys.readouterr().out.splitlines()
    assert re.fullmatch(r"\| Thermochroma starter \| \d+\.\d\d \| \d+\.\d\d \| [01] of 1 \|", row)


def test_gradients_of_weights_that_were_rounded_are_turned_and_the_weights_come_back(
    frozen: FrozenNetworks,
) -> None:
    training = begun("tir2lab", SMALL, frozen, PROCESSOR)
    before = [one.detach().clone() for one in training.game.parameters()]
    with turned.rounded(training):
        inside = [one.detach().clone() for one in training.game.parameters()]
    assert all(
        torch.equal(one, old.bfloat16().float()) for one, old in zip(inside, before, strict=True)
    )
    assert all(
        torch.equal(one, old) for one, old in zip(training.game.parameters(), before, strict=True)
    )
    (found,) = turned.turned("tir2lab", SMALL, frozen).values()
    assert all(0.9 < one < 1 for one in found)


def test_the_made_up_runs_are_found_and_listed_in_the_order_of_the_ui(tmp_path: Path) -> None:
    tracker = Tracker(many_runs.DATASET, root=tmp_path)
    for number in range(3):
        many_runs.log(tracker, number, {"lr": 1.0}, rows=2)
    listed = many_runs.listed(tracker)
    assert len(listed) == 3 and listed == sorted(listed, reverse=True)


@pytest.mark.parametrize("number", [1, 15, 40])
def test_settings_with_many_trainings_are_read_as_so_many(number: int, tmp_path: Path) -> None:
    path = tmp_path / "params.yaml"
    write_params(path, many_trainings.enlarged(raw_params(), number))
    assert len(read_params(path).trained_on(many_trainings.DATASET)) == number
