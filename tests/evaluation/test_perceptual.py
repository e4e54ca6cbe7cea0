"""LPIPS, FID and KID on the way from weights on disk to the table: taken with published ones alone."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from scipy.ndimage import gaussian_filter
from torch import Tensor
from torchvision.models import Inception3, vgg

from tests.made_crops import Sequence, make_crops
from tests.metrics.test_perceptual import linear_state
from tests.reporting.test_reporting import ABOUT, MANY, read_csv, rows_of
from thermochroma.base.errors import BadInput
from thermochroma.evaluation.outputs import by_split, write_outputs
from thermochroma.evaluation.perceptual import (
    Evaluation,
    Perception,
    evaluate_images,
    read_perception,
)
from thermochroma.evaluation.summary import mean_of_distances
from thermochroma.inference.predictions import truth_of
from thermochroma.loading.crops import Crops
from thermochroma.metrics.distribution import fid, kid
from thermochroma.metrics.image_scores import PERCEPTION
from thermochroma.pipeline.results import read_distances
from thermochroma.pretrained import write_weights as weights
from thermochroma.reporting.table import build_table
from thermochroma.reporting.table_caption import NO_PERCEPTION
from thermochroma.reporting.table_text import to_csv, to_latex, to_markdown

torch.set_num_threads(1)
SIDE = 32
CPU = torch.device("cpu")
SEQUENCES = {
    "a": Sequence(1),
    "v": Sequence(1, split="validation"),
    "t": Sequence(3, split="test"),
}
CACHED = {
    "vgg16": "vgg16-397923af.pth",
    "lpips": "lpips-v0.1-vgg.pth",
    "inception": "inception_v3_google-0cc3c7bd.pth",
}
"""What torch's cache calls the published files."""


def _predict(name: str, n: int) -> tuple[np.ndarray, np.ndarray]:
    noise = np.random.default_rng([ord(name), n]).normal(size=(SIDE, SIDE, 4))
    smooth = gaussian_filter(noise, (2, 2, 0)) * 300 + 128
    image = smooth.clip(0, 255).round().astype(np.uint8)
    return image[..., 0], np.ascontiguousarray(image[..., 1:])


@pytest.fixture(scope="module")
def crops(tmp_path_factory: pytest.TempPathFactory) -> Crops:
    return make_crops(tmp_path_factory.mktemp("crops"), SEQUENCES, _predict)


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Files of random numbers in the published formats, where torch keeps what it has fetched."""
    home = tmp_path_factory.mktemp("torch")
    folder = home / "hub/checkpoints"
    folder.mkdir(parents=True)
    torch.manual_seed(0)
    layers = vgg.make_layers(vgg.cfgs["D"])
    named = {f"features.{name}": tensor for name, tensor in layers.state_dict().items()}
    torch.save(named | {"classifier.6.bias": torch.zeros(1000)}, folder / CACHED["vgg16"])
    torch.save(linear_state(), folder / CACHED["lpips"])
    inception = Inception3(transform_input=True, init_weights=False)
    torch.save(inception.state_dict(), folder / CACHED["inception"])
    return home


@pytest.fixture(scope="module")
def folder(cache: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("weights") / "perception"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TORCH_HOME", str(cache))
        weights.write_perception(folder, kind="pretrained")
    return folder


@pytest.fixture(scope="module")
def perception(folder: Path) -> Perception:
    found = read_perception(folder, CPU)
    assert found is not None
    return found


def _shifted(crops: Crops, rows: pd.DataFrame, spectrum: str) -> Tensor:
    return truth_of(crops, rows, spectrum=spectrum).roll(2, -1)


def _score(crops: Crops, spectrum: str, perception: Perception | None) -> Evaluation:
    rows = pd.concat([crops.split(split) for split in ("validation", "test")], ignore_index=True)

    def batches() -> Iterator[tuple[pd.DataFrame, Tensor]]:
        for start in range(0, len(rows), 3):
            some = rows.iloc[start : start + 3]
            yield some, _shifted(crops, some, spectrum)

    return evaluate_images(crops, batches(), spectrum=spectrum, perception=perception)


@pytest.mark.parametrize("spectrum", ["visible", "thermal"])
def test_published_weights_give_a_column_and_distances_of_each_split(
    crops: Crops, perception: Perception, spectrum: str, tmp_path: Path
) -> None:
    scored, test = _score(crops, spectrum, perception), crops.split("test")
    prediction, truth = _shifted(crops, test, spectrum), truth_of(crops, test, spectrum=spectrum)
    of_test = scored.scores[scored.scores["split"] == "test"]
    expected = perception.lpips(prediction, truth)
    assert (expected > 0).all()
    assert of_test["lpips"].tolist() == expected.tolist()
    assert set(scored.distances) == {"test"}, "one validation image has no spread"
    features = perception.features(prediction), perception.features(truth)
    found = scored.distances["test"]
    assert found["fid"] == pytest.approx(fid(*features), rel=1e-3, abs=1e-6)
    assert found["kid"] == pytest.approx(kid(*features), rel=1e-3, abs=1e-6)
    write_outputs(tmp_path, scored)
    assert read_distances(tmp_path) == scored.distances
    assert by_split(scored)["test"]["fid"] == found["fid"]
    assert by_split(scored)["test"]["lpips"] == pytest.approx(expected.mean())
    assert "fid" not in by_split(scored)["validation"]


def test_through_stand_ins_nothing_is_scored(crops: Crops, tmp_path: Path) -> None:
    weights.write_perception(tmp_path / "perception", kind="random")
    assert [path.name for path in (tmp_path / "perception").iterdir()] == ["origin.json"]
    assert read_perception(tmp_path / "perception", CPU) is None
    scored = _score(crops, "visible", None)
    assert not {*PERCEPTION} & {*scored.scores.columns}
    write_outputs(tmp_path, scored)
    assert read_distances(tmp_path) == {}
    assert not {*PERCEPTION} & {*by_split(scored)["test"]}


def test_distances_that_are_missing_or_broken_are_no_empty_ones(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"distances\.json does not exist.*dvc repro"):
        read_distances(tmp_path)
    (tmp_path / "distances.json").write_text("{")
    with pytest.raises(BadInput, match="cannot be read"):
        read_distances(tmp_path)


def test_distances_of_draws_are_averaged() -> None:
    draws = [{"test": {"fid": 10.0, "kid": 0.1}}, {"test": {"fid": 30.0, "kid": 0.2}}]
    mean = mean_of_distances(draws)
    assert mean == {"test": {"fid": 20.0, "kid": pytest.approx(0.15)}}
    assert mean_of_distances([{}, {}]) == {}


@pytest.mark.parametrize("name", ["vgg16/model.safetensors", "lpips.pth", "inception.pth"])
@pytest.mark.parametrize("damage", ["cut", "gone"])
def test_a_damaged_file_is_named(name: str, damage: str, folder: Path, tmp_path: Path) -> None:
    for path in folder.rglob("*.*"):
        (tmp_path / path.relative_to(folder)).parent.mkdir(exist_ok=True)
        (tmp_path / path.relative_to(folder)).symlink_to(path)
    whole = (tmp_path / name).read_bytes()
    (tmp_path / name).unlink()
    if damage == "cut":
        (tmp_path / name).write_bytes(whole[: len(whole) // 2])
    with pytest.raises(BadInput, match=rf"{name} cannot be read"):
        read_perception(tmp_path, CPU)


def test_layers_that_do_not_belong_together_or_no_origin_are_refused(
    folder: Path, tmp_path: Path
) -> None:
    with pytest.raises(BadInput, match=r"origin\.json does not exist"):
        read_perception(tmp_path, CPU)
    weights.write_vgg(tmp_path / "vgg16", network="vgg16", kind="random", random_width_divisor=16)
    for name in ("origin.json", "lpips.pth", "inception.pth"):
        (tmp_path / name).symlink_to(folder / name)
    with pytest.raises(BadInput, match=r"4, 8, 16, 32, 32.* channels"):
        read_perception(tmp_path, CPU)


@pytest.mark.parametrize("name", CACHED)
def test_a_cut_published_file_is_never_written(
    name: str, cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "hub/checkpoints").mkdir(parents=True)
    for known, file in CACHED.items():
        source, copy = cache / "hub/checkpoints" / file, tmp_path / "hub/checkpoints" / file
        if known == name:
            copy.write_bytes(source.read_bytes()[: source.stat().st_size // 2])
        else:
            copy.symlink_to(source)
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    with pytest.raises(BadInput, match="cannot be read"):
        weights.write_perception(tmp_path / "perception", kind="pretrained")
    assert not (tmp_path / "perception").exists()


def test_without_network_it_ends_with_a_sentence(
    cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "hub/checkpoints").mkdir(parents=True)
    vgg16 = CACHED["vgg16"]
    (tmp_path / "hub/checkpoints" / vgg16).symlink_to(cache / "hub/checkpoints" / vgg16)
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    monkeypatch.setenv("https_proxy", "http://127.0.0.1:9")
    monkeypatch.setattr("thermochroma.data.acquisition.fetch.time.sleep", lambda seconds: None)
    with pytest.raises(BadInput, match="could not be fetched") as caught:
        weights.write_perception(tmp_path / "perception", kind="pretrained")
    assert "lpips-v0.1-vgg.pth" in caught.value.needed
    assert "weights: random" in caught.value.remedy
    assert not (tmp_path / "perception").exists()


def test_the_origin_says_what_it_is(folder: Path) -> None:
    origin = json.loads((folder / "origin.json").read_text())
    assert (origin["kind"], origin["seed"]) == ("pretrained", None)
    assert all(url in origin["source"] for url in (weights.LPIPS_FILE, weights.INCEPTION_FILE))


def test_with_stand_ins_the_cells_are_empty_and_one_note_says_why() -> None:
    table = build_table(rows_of(), ABOUT)
    (part,) = (part for part in table.parts if part.key == "perception")
    assert [column.heading for column in part.columns] == ["LPIPS ↓", "FID ↓", "KID ↓"]
    assert table.notes.count(NO_PERCEPTION) == 1
    assert "weights: pretrained" in NO_PERCEPTION
    for row in read_csv(table).values():
        assert [row[name] for name in PERCEPTION] == [""] * 3
    for text in (to_markdown(table), to_latex(table)):
        assert "CMMF-Net |  |  |  |" in text or r"CMMF-Net &  &  &  \\" in text
    assert "LPIPS:" not in table.caption, "nothing is defined that is not shown"


def test_with_published_weights_the_cells_hold_the_numbers_of_their_split() -> None:
    distances = {"test": {"fid": 123.45, "kid": -0.00123}, "validation": {"fid": 1.0, "kid": 1.0}}
    rows = {
        name: replace(row, scores=row.scores.assign(lpips=0.25), distances=distances)
        for name, row in rows_of().items()
    }
    table = build_table(rows, ABOUT)
    cells = table.lines[0].cells
    assert [cells[name].text for name in PERCEPTION] == ["0.250", "123.5", "-0.0012"]
    assert cells["fid"].value == 123.45
    assert "123.45" in to_csv(table)
    assert NO_PERCEPTION not in table.notes
    assert f"there are {sum(map(len, MANY.values()))}: compare only rows" in table.caption
    one = build_table({k: replace(row, distances={}) for k, row in rows.items()}, ABOUT)
    assert "FID and KID are empty: one image" in " ".join(one.notes)
    assert one.lines[0].cells["lpips"].text == "0.250"
