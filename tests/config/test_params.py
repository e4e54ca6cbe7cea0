"""The door for settings refuses in one sentence."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.examiner import PARAMS, raw_params, write_params
from thermochroma.base.errors import BadInput
from thermochroma.config.budget import BudgetException
from thermochroma.config.machine import MachinesOwn
from thermochroma.config.params import read_params
from thermochroma.contract.settings import CameraSettings

Change = Callable[[dict[str, Any]], object]

ENTRY = {"dataset": "sample", "folder": "f", "title": "X", "predicts": "visible", "cost": None}


def _read(tmp_path: Path, change: Change) -> None:
    raw = raw_params()
    change(raw)
    path = tmp_path / "params.yaml"
    write_params(path, raw)
    params = read_params(path)
    for name in params.methods:
        params.method(name)


def _single(raw: dict[str, Any], dataset: str, method: str, *, name: str = "") -> None:
    """One training on RoadScene, or on what is to be it, beside the line-up on the sample."""
    raw["datasets"] = ["sample", "roadscene"]
    raw["trainings"][name or f"{dataset}-{method}"] = {"dataset": dataset, "method": method}


def test_the_file_in_the_repository_is_right(tmp_path: Path) -> None:
    _read(tmp_path, lambda raw: None)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda raw: raw.update(sede=1), r"unknown key `sede`.*did you mean `seed`"),
        (lambda raw: raw.pop("seed"), r"lacks `seed`"),
        (lambda raw: raw.update(seed="0"), r"`seed` .* \"0\".*valid integer"),
        (lambda raw: raw.update(datasets=["smaple"]), r"`smaple` .*did you mean `sample`"),
        (lambda raw: raw.update(lineup=["pix2pixx"]), r"`pix2pixx`.*did you mean `pix2pix`"),
        (lambda raw: raw.update(datasets=["a-b"]), r"datasets\.0"),
        (
            lambda raw: raw["methods"]["pix2pix"].update(method="pixpix"),
            r"`pixpix`.*did you mean `pix2pix`",
        ),
        (
            lambda raw: raw["methods"]["cmmf_net"]["weights"].update(sim=1.0),
            r"`methods\.cmmf_net\.weights\.sim`.*did you mean `ssim`",
        ),
        (
            lambda raw: raw["methods"]["pix2pix"]["optimizers"]["critic"].update(lr="1e-4"),
            r"optimizers\.critic\.lr.*1\.0e-4",
        ),
        (
            lambda raw: raw["methods"]["cmmf_net"]["translator"].update(roles="text_k"),
            r"roles.*'text_q' or 'image_q'",
        ),
        (lambda raw: raw["budget"]["sample"].update(epochs=3), r"exactly one of"),
        (
            lambda raw: raw["crop"]["sample"].update(dedup={"threshhold": 1.5}),
            r"unknown key `crop\.sample\.dedup\.threshhold`.*did you mean `threshold`",
        ),
        (lambda raw: raw.pop("entries"), r"lacks `entries`"),
        (
            lambda raw: raw.update(entries={"x": ENTRY | {"dataset": "kaist"}}),
            r"`kaist` under `entries\.x\.dataset`.*known names: sample",
        ),
        (
            lambda raw: raw.update(entries={"pix2pix": ENTRY}),
            r"`entries\.pix2pix` has the name of a block of `methods`",
        ),
        (lambda raw: raw.update(entries={"a-b": ENTRY}), r"entries\.a-b"),
        (lambda raw: raw.update(entries={"x": ENTRY | {"folder": "~/x"}}), r"does not know `~`"),
        (
            lambda raw: raw.update(entries={"x": ENTRY | {"cost": {"flops": 1}}}),
            r"unknown key `entries\.x\.cost\.flops`.*latency_median_ms, multiply_adds",
        ),
        (
            lambda raw: raw["sources"]["sample"].update(frames_per_sequnce=3),
            r"did you mean `frames_per_sequence`",
        ),
        (
            lambda raw: raw["methods"]["cmmf_net"]["weights"].update(content=float("nan")),
            r"cmmf_net\.weights\.content.*finite",
        ),
        (
            lambda raw: raw["methods"]["cmmf_net"]["optimizers"]["translator"].update(lr=1e999),
            r"optimizers\.translator\.lr.*finite",
        ),
        (lambda raw: raw["methods"].update(cmmf_net=3), r"`methods\.cmmf_net`.* is 3.*a block"),
        (
            lambda raw: raw["methods"]["cmmf_net"]["translator"].update(
                readout="token_map", roles="image_q"
            ),
            r"readout: token_map`, nothing but `roles: text_q`",
        ),
        (
            lambda raw: raw["methods"]["cmmf_net"]["translator"].update(
                readout="token_map", text_tokens="end_of_text"
            ),
            r"readout: token_map`, nothing but `text_tokens: sequence`",
        ),
        (
            lambda raw: raw["methods"]["cmmf_net"]["game"].update(perceptual_network="vgg16"),
            r"layers \[17, 26\] of VGG-16 are no ReLUs.*`perceptual_taps: \[3, 8, 15, 22\]`",
        ),
        (
            lambda raw: raw["methods"]["cmmf_net"]["translator"].update(
                fusion="addition", roles="image_q"
            ),
            r"`fusion: addition` .*nothing but `roles: text_q`",
        ),
        (
            lambda raw: raw["methods"]["cmmf_net"]["translator"].update(
                fusion="bypass", text_tokens="end_of_text"
            ),
            r"`fusion: bypass` .*nothing but `text_tokens: sequence`",
        ),
        (lambda raw: raw["sources"].update(kaits={}), r"`kaits` .* is no data set"),
        (lambda raw: raw["budget"].pop("sample"), r"no data set of `budget`"),
        (
            lambda raw: raw.update(video_lineup=["recycle_gna"]),
            r"`recycle_gna`.*did you mean `recycle_gan`",
        ),
        (lambda raw: raw.update(video_datasets=["smaple"]), r"`smaple` .*did you mean `sample`"),
        (
            lambda raw: raw.update(
                datasets=["msrs"], lineup_datasets=["msrs"], video_datasets=["sample"]
            ),
            r"`sample` .*entry of `datasets`",
        ),
        (lambda raw: raw.update(lineup_datasets=["smaple"]), r"`smaple` .*did you mean `sample`"),
        (lambda raw: raw.pop("trainings"), r"lacks `trainings`"),
        (lambda raw: _single(raw, "roadscene", "pix2pixx"), r"`pix2pixx`.*did you mean `pix2pix`"),
        (
            lambda raw: _single(raw, "raodscene", "pix2pix"),
            r"`raodscene` under `trainings\.raodscene-pix2pix\.dataset`.*did you mean `roadscene`",
        ),
        (
            lambda raw: (_single(raw, "roadscene", "pix2pix"), raw["budget"].pop("roadscene")),
            r"`roadscene` .*no data set of `budget`",
        ),
        (
            lambda raw: _single(raw, "roadscene", "pix2pix", name="mine"),
            r"`trainings\.mine` .*rename it `roadscene-pix2pix`",
        ),
        (
            lambda raw: (_single(raw, "roadscene", "pix2pix"), raw["trainings"].clear()),
            r"`roadscene` of `datasets` .*no method.*`roadscene-pix2pix: \{dataset: roadscene",
        ),
        (
            lambda raw: _single(raw, "sample", "pix2pix"),
            r"`pix2pix` is to be trained on `sample` twice.*remove `trainings\.sample-pix2pix`",
        ),
        (
            lambda raw: (
                raw["methods"].update(again={"repeat_of": "cmmf_net", "seed": 1}),
                _single(raw, "roadscene", "again"),
            ),
            r"has `again` but not `cmmf_net`",
        ),
        (
            lambda raw: raw["methods"].update(cmmf_net_seed_1={"repeat_of": "cmff_net", "seed": 1}),
            r"`cmff_net`.*did you mean `cmmf_net`",
        ),
        (
            lambda raw: raw["methods"].update(cmmf_net_seed_1={"repeat_of": "cmmf_net"}),
            r"lacks `methods\.cmmf_net_seed_1\.seed`",
        ),
        (
            lambda raw: (
                raw["methods"].update(again={"repeat_of": "cmmf_net", "seed": raw["seed"]}),
                raw["lineup"].append("again"),
            ),
            r"`again` repeats `cmmf_net` under seed 0, which another run has",
        ),
        (
            lambda raw: (
                raw["methods"].update(again={"repeat_of": "cmmf_net", "seed": 1}),
                raw.update(lineup=["pix2pix", "again"]),
            ),
            r"has `again` but not `cmmf_net`",
        ),
        (
            lambda raw: (
                raw["methods"].update(again={"repeat_of": "cmmf_net", "seed": 1}),
                raw["budget"]["sample"]["exceptions"].update(again={"images": 3}),
            ),
            r"`again`.*block of `methods` itself",
        ),
        (
            lambda raw: raw["methods"]["cyclegan"].update(sampling="apart"),
            r"cyclegan\.sampling.*'pooled' or 'disjoint'",
        ),
    ],
)
def test_what_is_wrong_is_named(change: Change, sentence: str, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=sentence):
        _read(tmp_path, change)


def test_no_yaml_and_no_file(tmp_path: Path) -> None:
    path = tmp_path / "params.yaml"
    with pytest.raises(BadInput, match=r"cannot be read|does not exist"):
        read_params(path)
    path.write_text("seed: [")
    with pytest.raises(BadInput, match=r"cannot be read|does not exist"):
        read_params(path)


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", r"params\.yaml holds nothing"),
        (b"- 1\n", "holds list, and no blocks"),
        (b"seed: 0 # gr\xfcn\n", r"params\.yaml cannot be read \(UnicodeDecodeError"),
        (b"\x00\xff", "cannot be read"),
        (b"seed: 2026-11-27\n", r"has `seed` as a date, 2026-11-27; .*in quotes it is a word"),
        (b"crop: {size: [1, !!binary aGk=]}\n", r"has `crop\.size\.1` as a bytes"),
        (b"budget: {2026: {}}\n", r"has the key 2026 inside `budget`"),
        (b"crop: &a {of: *a}\n", "more than 20 deep"),
        (b"seed: {" * 3000, "cannot be read"),
    ],
)
def test_what_yaml_reads_and_no_setting_is(content: bytes, sentence: str, tmp_path: Path) -> None:
    path = tmp_path / "params.yaml"
    path.write_bytes(content)
    with pytest.raises(BadInput, match=sentence):
        read_params(path)


def test_what_suits_a_budget_to_a_machine_decides_nothing() -> None:
    budget = read_params(PARAMS).budget["kaist"]
    other = budget.model_copy(
        update={"workers": 0, "checkpoint_every_images": 7, "validation_images": 3}
    )
    assert other.deciding() == budget.deciding()
    assert set(budget.model_dump()) - set(budget.deciding()) == set(MachinesOwn.model_fields)


def test_epochs_become_images() -> None:
    budget = read_params(PARAMS).budget["kaist"]
    assert budget.epochs is not None
    assert budget.images_of(100) == round(100 * budget.epochs)
    fewer = budget.model_copy(update={"frames": 10})
    assert fewer.images_of(100) == round(10 * budget.epochs), "passes over the frames that are used"
    assert fewer.deciding() != budget.deciding()


def test_an_exception_may_change_the_cameras_of_one_entry() -> None:
    budget = read_params(PARAMS).budget["sample"]
    camera = CameraSettings(gain=0.5)
    changed = budget.model_copy(update={"exceptions": {"pix2pix": BudgetException(camera=camera)}})
    assert changed.of("pix2pix").camera == camera
    assert changed.of("cyclegan").camera is None


def test_snapshots_are_the_last_twentieths_but_the_end() -> None:
    budget = read_params(PARAMS).budget["kaist"].model_copy(update={"epochs": 20.0})
    five, one = (budget.model_copy(update={"snapshots": count}) for count in (5, 1))
    assert five.snapshots_after_images(100) == {1600, 1700, 1800, 1900}
    assert one.snapshots_after_images(100) == frozenset()
    short = five.model_copy(update={"epochs": None, "images": 3})
    assert short.snapshots_after_images(100) == frozenset(), "the end is no snapshot"


def test_video_methods_are_trained_on_video_alone() -> None:
    params = read_params(PARAMS).model_copy(
        update={"datasets": ("sample", "msrs"), "lineup_datasets": ("sample", "msrs")}
    )
    assert params.trained_on("sample") == (*params.lineup, *params.video_lineup)
    assert params.trained_on("msrs") == params.lineup
    assert params.needs_video("msrs") == params.video_lineup
    assert not set(params.lineup) & set(params.video_lineup)


def test_single_trainings_are_no_line_up(tmp_path: Path) -> None:
    raw = raw_params()
    for method in ("tir2lab", "recycle_gan"):
        _single(raw, "roadscene", method)
    path = tmp_path / "params.yaml"
    write_params(path, raw)
    params = read_params(path)
    assert params.trained_on("roadscene") == ("tir2lab", "recycle_gan")
    assert params.needs_video("roadscene") == (), "nobody asked for them there"
    assert params.trained_on("sample") == (*params.lineup, *params.video_lineup)
    rows = params.comparison("roadscene")
    assert [entry.name for entry in rows.entries] == ["tir2lab", "recycle_gan"]
    assert (rows.entries[0].budget.images, rows.elsewhere) == (2800, ())


def test_a_repeat_has_block_and_budget_of_what_it_repeats_and_a_seed_of_its_own(
    tmp_path: Path,
) -> None:
    raw = raw_params()
    raw["methods"]["mugan_again"] = {"repeat_of": "mugan", "seed": 7}
    raw["lineup"].append("mugan_again")
    path = tmp_path / "params.yaml"
    write_params(path, raw)
    params = read_params(path)
    assert params.method("mugan_again") == params.method("mugan")
    assert params.budget_of("sample", "mugan_again") == params.budget["sample"].of("mugan")
    assert params.budget_of("sample", "mugan_again").window == 96, "the exception holds for it too"
    assert (params.seed_of("mugan_again"), params.seed_of("mugan")) == (7, params.seed)
    assert (params.block_of("mugan_again"), params.block_of("mugan")) == ("mugan", "mugan")
