"""The train stage refuses, before any work, sides that a network cannot take."""

from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from tests.conftest import ROOT
from tests.examiner import method_of, settings_of
from tests.made_crops import Sequence, make_crops
from thermochroma.base.errors import BadInput
from thermochroma.config.params import read_params
from thermochroma.contract.settings import CameraSettings
from thermochroma.export.artifact import build_translator
from thermochroma.networks.frozen import FrozenNetworks
from thermochroma.pipeline.train import batches_of, begin, has_ended, try_sides
from thermochroma.pipeline.training_run import (
    TrainingRun,
    refuse_camera,
    refuse_frames,
    refuse_sampling,
    refuse_side,
    training_rows,
)
from thermochroma.training import finished


@pytest.mark.parametrize("block, multiple", [("scgan", 256), ("pix2pix", 256), ("tic_cgan", 16)])
def test_the_sides_that_a_method_takes_are_named(block: str, multiple: int) -> None:
    method = method_of(block)
    assert method.sides_multiple_of == multiple
    refuse_side(method.side_for(1), method, multiple=multiple, dataset="sample")
    with pytest.raises(BadInput, match=f"multiples of {multiple}"):
        refuse_side(method.side_for(1) + 8, method, multiple=multiple, dataset="sample")


def test_a_side_below_the_shortest_is_refused_even_as_a_multiple() -> None:
    method = replace(method_of("pix2pix"), least_side=64)
    refuse_side(64, method, multiple=32, dataset="sample")
    with pytest.raises(BadInput, match="of at least 64 that are multiples of 32"):
        refuse_side(32, method, multiple=32, dataset="sample")


def test_a_training_is_named_by_the_networks_that_it_is_taught_with(tmp_path: Path) -> None:
    for name in ("vgg16", "vgg19"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "model.safetensors").write_bytes(name.encode())
    before = FrozenNetworks(tmp_path).hashes()
    assert len(set(before)) == 2
    (tmp_path / "vgg16/model.safetensors").write_bytes(b"of another seed")
    assert FrozenNetworks(tmp_path).hashes() != before


def test_outputs_that_were_kept_and_are_damaged_are_written_anew_and_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    place = tmp_path / "sample-cyclegan-1"
    assert not has_ended(place)
    with finished.keeping(place) as kept:
        (kept / finished.TRANSLATOR).write_bytes(b"weights")
    assert has_ended(place)
    assert "was trained before, to its end" in capsys.readouterr().out
    (place / finished.FOLDER / finished.TRANSLATOR).write_bytes(b"others")
    assert not has_ended(place)
    assert "are damaged (translator.safetensors)" in capsys.readouterr().out
    assert not finished.is_kept(place)


def test_fewer_training_frames_lie_within_more_of_them(tmp_path: Path) -> None:
    pair = np.zeros((8, 8), np.uint8), np.zeros((8, 8, 3), np.uint8)
    crops = make_crops(tmp_path, {"s": Sequence(12)}, lambda *_: pair)
    all_of_them = [*crops.split("train")["frame"]]
    five, nine = ([*training_rows(crops, count)["frame"]] for count in (5, 9))
    assert len(five) == 5 and len(nine) == 9
    assert five != all_of_them[:5], "not the first ones, which are neighbours"
    assert [one for one in nine if one in five] == five, "the same order, and the same frames"
    assert [*training_rows(crops, None)["frame"]] == all_of_them
    assert [*training_rows(crops, 12)["frame"]] == all_of_them


@pytest.mark.parametrize(
    "block, frames, told",
    [
        ("pix2pix", 13, "at most the 12 frames"),
        ("recycle_gan", 6, "trains on single pairs"),
        ("reference_contrastive", 6, "sees no reference"),
    ],
)
def test_a_number_of_frames_that_cannot_be_had_is_refused(
    block: str, frames: int, told: str
) -> None:
    method = method_of(block)
    refuse_frames(None, method, there=12, dataset="sample")
    with pytest.raises(BadInput, match=told) as refused:
        refuse_frames(frames, method, there=12, dataset="sample")
    assert "`budget.sample`" in str(refused.value)


@pytest.mark.parametrize("block, first", [("cyclegan", True), ("tir2lab", False)])
def test_weights_and_images_have_the_layout_that_is_quick_on_the_device(
    block: str, first: bool, tmp_path: Path, frozen: FrozenNetworks
) -> None:
    pair = np.zeros((256, 256), np.uint8), np.zeros((256, 256, 3), np.uint8)
    crops = make_crops(tmp_path, {"s": Sequence(2)}, lambda *_: pair)
    entry = read_params(ROOT / "params.yaml").entry("sample", block)
    budget = entry.budget.model_copy(update={"scale": 1 / 64, "window": 64, "workers": 0})
    run = TrainingRun(
        dataset="sample",
        entry=replace(entry, budget=budget),
        side=256,
        frozen="",
        method=method_of(block),
        crops=crops,
        text=None,
        edges=tmp_path,
        device=torch.device("cpu"),
        fingerprint="",
    )
    training = begin(run, frozen)
    batch, _ = next(batches_of(training, run))
    weights = [one for one in training.game.parameters() if one.ndim == 4 and one[0, 0].numel() > 1]
    wide = [one for one in [*weights, batch.target] if one.shape[1] > 1]
    for layout, holds in ((torch.contiguous_format, first), (torch.channels_last, not first)):
        assert all(one.is_contiguous(memory_format=layout) == holds for one in wide)
    assert method_of(block).layout_on(torch.device("cuda")) is torch.channels_last


@pytest.mark.parametrize("block", ["thermal_mask", "recycle_gan"])
def test_a_target_and_frames_of_one_video_are_not_made_by_other_cameras(block: str) -> None:
    refuse_camera(None, method_of(block), dataset="sample")
    refuse_camera(CameraSettings(), method_of("pix2pix"), dataset="sample")
    with pytest.raises(BadInput, match="sees single thermal images"):
        refuse_camera(CameraSettings(), method_of(block), dataset="sample")


def test_pairs_cannot_be_drawn_apart() -> None:
    for block, refused in (("pix2pix", True), ("cyclegan", False)):
        method, settings = method_of(block), settings_of(block)
        refuse_sampling(settings.model_copy(update={"sampling": "pooled"}), method)
        with pytest.raises(BadInput, match="sampling: pooled") if refused else nullcontext():
            refuse_sampling(settings.model_copy(update={"sampling": "disjoint"}), method)


@pytest.mark.parametrize("side", [128, 256])
@pytest.mark.parametrize(
    "block, changes, told",
    [("lkat_gan", {"other_sizes": "refuse"}, "256x256"), ("tir2lab", {"norm": "row"}, "256 rows")],
)
def test_a_form_for_one_size_says_so_with_the_first_image(
    block: str, changes: dict[str, str], told: str, side: int
) -> None:
    method, settings = method_of(block), settings_of(block)
    form = settings.translator.model_copy(update=changes)
    settings = settings.model_copy(update={"translator": form})
    translator = build_translator(method, settings, scale=1 / 16, text_width=0)
    with nullcontext() if side == 256 else pytest.raises(BadInput, match=told):
        try_sides(translator, method, sides={256, side}, text_width=0, device=torch.device("cpu"))
