"""Images on disk, through the command: any size, either direction, nothing overwritten."""

import json
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch

from tests.examiner import PARAMS, SCALE
from thermochroma.base.errors import BadInput
from thermochroma.base.images import read_thermal, read_visible, write_image
from thermochroma.base.tensors import to_bytes, to_network
from thermochroma.config.params import read_params
from thermochroma.contract.batch import Still
from thermochroma.contract.method import load_method
from thermochroma.export.artifact import build_translator, load_translator, save_translator
from thermochroma.export.metadata import Metadata
from thermochroma.serving.cli import main
from thermochroma.tracking.pyfunc import TranslatorModel


def saved(block: str, path: Path) -> Path:
    """A translator with fresh weights."""
    torch.manual_seed(0)
    settings = read_params(PARAMS).method(block)
    method = load_method(settings.method)
    translator = build_translator(method, settings, scale=SCALE, text_width=0)
    with torch.no_grad():
        for weight in translator.parameters():
            if weight.ndim == 4:
                weight.mul_(10)  # what fresh weights predict would round to one grey
    raw = json.loads(settings.model_dump_json())
    save_translator(translator, path, Metadata(block, raw, SCALE, 0, "made-up", 64, "random", None))
    return path


def noise(*shape: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)


def test_what_is_written_is_what_the_translator_paints(tmp_path: Path) -> None:
    translator = saved("cyclegan", tmp_path / "translator.safetensors")
    image = noise(48, 64)
    write_image(tmp_path / "in/a.png", image)
    main(["translate", str(translator), str(tmp_path / "in"), "--to", str(tmp_path / "out")])
    network, _ = load_translator(translator)
    seen = Still(to_network(torch.from_numpy(image)[None, None]))
    wanted = to_bytes(network(seen))[0].permute(1, 2, 0).numpy()
    assert np.abs(read_visible(tmp_path / "out/a.png").astype(int) - wanted).max() <= 1


@pytest.mark.parametrize("block", ["pix2pix", "thermal_mask", "reference_contrastive"])
def test_mlflows_model_gives_what_the_command_line_writes(block: str, tmp_path: Path) -> None:
    translator = saved(block, tmp_path / "translator.safetensors")
    spectrum = "visible" if block == "thermal_mask" else "thermal"
    image = noise(101, 67, 3) if spectrum == "visible" else noise(101, 67)
    write_image(tmp_path / "a.png", image)
    write_image(tmp_path / "reference.png", noise(80, 72, 3))
    given = ["translate", str(translator), str(tmp_path / "a.png"), "--to", str(tmp_path / "out")]
    main([*given, "--reference", str(tmp_path / "reference.png")])
    model, context = TranslatorModel(), SimpleNamespace(artifacts={"translator": str(translator)})
    model.load_context(context)
    shown = {spectrum: image[None], "reference": read_visible(tmp_path / "reference.png")[None]}
    (prediction,) = model.predict(context, shown)
    assert prediction.shape == (101, 67, 1 if spectrum == "visible" else 3)
    read = read_thermal if spectrum == "visible" else read_visible
    assert np.array_equal(prediction.squeeze(), read(tmp_path / "out/a.png"))


@pytest.mark.parametrize(
    ("block", "shape", "references", "sentence"),
    [
        ("cyclegan", (64, 64), None, r"shape \(64, 64\)"),
        ("cyclegan", (0, 64, 64), None, "none of them empty"),
        ("thermal_mask", (1, 64, 64), None, "by 3"),
        ("reference_contrastive", (2, 64, 64), (3, 8, 8, 3), "3 references for 2 images"),
    ],
)
def test_arrays_of_another_form_are_refused(
    block: str,
    shape: tuple[int, ...],
    references: tuple[int, ...] | None,
    sentence: str,
    tmp_path: Path,
) -> None:
    path = saved(block, tmp_path / "translator.safetensors")
    model = TranslatorModel()
    model.load_context(SimpleNamespace(artifacts={"translator": str(path)}))
    shown = {model.predictor.sees: noise(*shape)}
    shown |= {} if references is None else {"reference": noise(*references)}
    with pytest.raises(BadInput, match=sentence):
        model.predict(None, shown)


def test_weights_that_are_no_numbers_paint_nothing(tmp_path: Path) -> None:
    path = saved("cyclegan", tmp_path / "translator.safetensors")
    network, metadata = load_translator(path)
    with torch.no_grad():
        next(network.parameters()).fill_(float("nan"))
    save_translator(network, path, metadata)
    write_image(tmp_path / "a.png", noise(64, 64))
    with pytest.raises(SystemExit, match="NaN or infinite"):
        main(["translate", str(path), str(tmp_path / "a.png"), "--to", str(tmp_path / "out")])
    assert not (tmp_path / "out/a.png").exists()


def test_a_file_with_the_words_of_the_first_version_is_read(tmp_path: Path) -> None:
    path = saved("scgan", tmp_path / "translator.safetensors")
    network, metadata = load_translator(path)
    old = replace(metadata, settings=json.loads(_in_old_words(metadata.settings)))
    assert old != metadata
    save_translator(network, path, old)
    again, found = load_translator(path)
    assert found == metadata
    assert {*again.state_dict()} == {*network.state_dict()}


def _in_old_words(settings: dict[str, Any]) -> str:
    return json.dumps(settings).replace("per_image", "per_picture")


@pytest.mark.parametrize(
    "change, sentence",
    [
        ({"surplus": 1}, "validation error"),
        ({"method": "taken out"}, "of the method None"),
        ({"method": "a_newer_one"}, "which this version does not have"),
        ({"scale": 2 * SCALE}, "do not fit its settings"),
    ],
)
def test_a_file_of_another_version_is_refused_in_a_sentence(
    change: dict[str, Any], sentence: str, tmp_path: Path
) -> None:
    path = saved("pix2pix", tmp_path / "translator.safetensors")
    network, metadata = load_translator(path)
    if "scale" in change:
        metadata = replace(metadata, **change)
    else:
        settings = {**metadata.settings, **change}
        known = {key: value for key, value in settings.items() if value != "taken out"}
        metadata = replace(metadata, settings=known)
    save_translator(network, path, metadata)
    with pytest.raises(BadInput, match=sentence):
        load_translator(path)


def test_any_size_goes_and_keeps_its_size(tmp_path: Path) -> None:
    translator = saved("pix2pix", tmp_path / "translator.safetensors")
    write_image(tmp_path / "a.png", noise(101, 67))
    main(["translate", str(translator), str(tmp_path / "a.png"), "--to", str(tmp_path / "out")])
    assert read_visible(tmp_path / "out/a.png").shape == (101, 67, 3)


def test_the_way_back_takes_colour_and_gives_grey(tmp_path: Path) -> None:
    translator = saved("thermal_mask", tmp_path / "translator.safetensors")
    write_image(tmp_path / "a.png", noise(64, 66, 3))
    main(["translate", str(translator), str(tmp_path / "a.png"), "--to", str(tmp_path / "out")])
    assert read_thermal(tmp_path / "out/a.png").shape == (64, 66)


def test_a_reference_changes_what_is_predicted(tmp_path: Path) -> None:
    translator = saved("reference_contrastive", tmp_path / "translator.safetensors")
    write_image(tmp_path / "a.png", noise(64, 64))
    write_image(tmp_path / "reference.png", noise(80, 72, 3))
    given = ["translate", str(translator), str(tmp_path / "a.png"), "--to"]
    main([*given, str(tmp_path / "without")])
    main([*given, str(tmp_path / "with"), "--reference", str(tmp_path / "reference.png")])
    one, other = (read_visible(tmp_path / name / "a.png") for name in ("without", "with"))
    assert not np.array_equal(one, other)


@pytest.mark.parametrize(
    ("block", "image", "sentence"),
    [
        ("cyclegan", noise(64, 64, 3), "shows colour"),
        ("thermal_mask", noise(64, 64), "is grey"),
    ],
)
def test_the_other_spectrum_is_refused(
    block: str, image: np.ndarray, sentence: str, tmp_path: Path
) -> None:
    translator = saved(block, tmp_path / "translator.safetensors")
    write_image(tmp_path / "a.png", image)
    with pytest.raises(SystemExit, match=sentence):
        main(["translate", str(translator), str(tmp_path / "a.png"), "--to", str(tmp_path / "out")])
    assert not (tmp_path / "out/a.png").exists()


def test_places_that_cannot_be_are_refused(tmp_path: Path) -> None:
    translator = str(saved("cyclegan", tmp_path / "translator.safetensors"))
    write_image(tmp_path / "a.png", noise(64, 64))
    before = (tmp_path / "a.png").read_bytes()
    with pytest.raises(SystemExit, match="overwritten"):
        main(["translate", translator, str(tmp_path / "a.png"), "--to", str(tmp_path)])
    assert (tmp_path / "a.png").read_bytes() == before
    with pytest.raises(SystemExit, match="does not exist"):
        main(["translate", translator, str(tmp_path / "b.png"), "--to", str(tmp_path / "out")])
    (tmp_path / "empty").mkdir()
    with pytest.raises(SystemExit, match="no image"):
        main(["translate", translator, str(tmp_path / "empty"), "--to", str(tmp_path / "out")])
    write_image(tmp_path / "more/a.jpg", noise(64, 64))
    given = [str(tmp_path / "a.png"), str(tmp_path / "more")]
    with pytest.raises(SystemExit, match="two images are called a"):
        main(["translate", translator, *given, "--to", str(tmp_path / "out")])
