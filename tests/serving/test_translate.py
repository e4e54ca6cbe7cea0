"""Images on disk, through the command: any size, either direction, nothing overwritten."""

import json
import resource
import sys
from dataclasses import replace
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from tests.examiner import SCALE, settings_of
from thermochroma.base import device, memory
from thermochroma.base.errors import BadInput
from thermochroma.base.images import note_in, read_thermal, read_visible, write_image
from thermochroma.base.tensors import to_bytes, to_network
from thermochroma.contract.batch import Still
from thermochroma.contract.method import load_method
from thermochroma.export.artifact import build_translator, load_translator, save_translator
from thermochroma.export.metadata import Metadata
from thermochroma.inference.opening import load_predictor
from thermochroma.inference.predictor import Predictor
from thermochroma.inference.torch_engine import TorchEngine
from thermochroma.serving.cli import main
from thermochroma.tracking import pyfunc


def saved(block: str, path: Path) -> Path:
    """A translator with fresh weights."""
    path.write_bytes(_file_of(block))
    return path


@cache
def _file_of(block: str) -> bytes:
    torch.manual_seed(0)
    settings = settings_of(block)
    method = load_method(settings.method)
    translator = build_translator(method, settings, scale=SCALE, text_width=0)
    with torch.no_grad():
        for weight in translator.parameters():
            if weight.ndim == 4:
                weight.mul_(10)  # what fresh weights predict would round to one grey
                if not weight.any():
                    torch.nn.init.normal_(weight)
    raw = json.loads(settings.model_dump_json())
    metadata = Metadata(block, raw, SCALE, 0, "made-up", 64, "random", None)
    with TemporaryDirectory() as folder:
        save_translator(translator, Path(folder) / "translator.safetensors", metadata)
        return (Path(folder) / "translator.safetensors").read_bytes()


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
    translator = saved(block, tmp_path / pyfunc.TRANSLATOR)
    spectrum = "visible" if block == "thermal_mask" else "thermal"
    image = noise(101, 67, 3) if spectrum == "visible" else noise(101, 67)
    write_image(tmp_path / "a.png", image)
    write_image(tmp_path / "reference.png", noise(80, 72, 3))
    given = ["translate", str(translator), str(tmp_path / "a.png"), "--to", str(tmp_path / "out")]
    if block == "reference_contrastive":
        given += ["--reference", str(tmp_path / "reference.png")]
    main(given)
    shown = {spectrum: image[None], "reference": read_visible(tmp_path / "reference.png")[None]}
    (prediction,) = pyfunc._load_pyfunc(str(tmp_path)).predict(shown)
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
    saved(block, tmp_path / pyfunc.TRANSLATOR)
    model = pyfunc._load_pyfunc(str(tmp_path))
    shown = {model.predictor.sees: noise(*shape)}
    shown |= {} if references is None else {"reference": noise(*references)}
    with pytest.raises(BadInput, match=sentence):
        model.predict(shown)


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_weights_that_are_no_numbers_paint_nothing(value: float, tmp_path: Path) -> None:
    path = saved("cyclegan", tmp_path / "translator.safetensors")
    network, metadata = load_translator(path)
    with torch.no_grad():
        [*network.parameters()][-1].fill_(value)  # behind it is a tanh, whose image would be white
    save_translator(network, path, metadata)
    write_image(tmp_path / "a.png", noise(64, 64))
    with pytest.raises(SystemExit, match="NaN or infinite"):
        main(["translate", str(path), str(tmp_path / "a.png"), "--to", str(tmp_path / "out")])
    assert not (tmp_path / "out/a.png").exists()
    with pytest.raises(BadInput, match="NaN or infinite"):
        pyfunc._load_pyfunc(str(tmp_path))


def test_what_overflows_in_the_network_paints_nothing(tmp_path: Path) -> None:
    path = saved("cyclegan", tmp_path / "translator.safetensors")
    predictor = load_predictor(path, text=None, sentence="")
    assert isinstance(predictor.engine, TorchEngine)
    with torch.no_grad():
        predictor.engine.translator.get_parameter("resnet.body.1.bias").fill_(float("inf"))
    with pytest.raises(BadInput, match="values that are no numbers"):
        predictor(noise(1, 64, 64))


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


@pytest.mark.parametrize("block", ["cyclegan", "thermal_mask"])
def test_what_was_seen_stands_to_the_left(block: str, tmp_path: Path) -> None:
    translator = saved(block, tmp_path / "translator.safetensors")
    image = noise(48, 66) if block == "cyclegan" else noise(48, 66, 3)
    write_image(tmp_path / "a.png", image)
    given = [tmp_path / "a.png", "--to", tmp_path / "out"]
    _translate(translator, *given)
    alone = Image.open(tmp_path / "out/a.png").convert("RGB")
    _translate(translator, *given, "--side-by-side")
    both = read_visible(tmp_path / "out/a.png")
    seen = image if image.ndim == 3 else np.repeat(image[..., None], 3, axis=-1)
    assert np.array_equal(both, np.concatenate([seen, np.asarray(alone)], axis=1))


def test_a_reference_changes_what_is_predicted(tmp_path: Path) -> None:
    translator = saved("reference_contrastive", tmp_path / "translator.safetensors")
    write_image(tmp_path / "a.png", noise(64, 64))
    write_image(tmp_path / "reference.png", noise(80, 72, 3))
    given = ["translate", str(translator), str(tmp_path / "a.png"), "--to"]
    main([*given, str(tmp_path / "without")])
    main([*given, str(tmp_path / "with"), "--reference", str(tmp_path / "reference.png")])
    one, other = (read_visible(tmp_path / name / "a.png") for name in ("without", "with"))
    assert not np.array_equal(one, other)


def test_sharpness_changes_what_is_predicted(tmp_path: Path) -> None:
    translator = saved("thermochroma_small", tmp_path / "translator.safetensors")
    write_image(tmp_path / "a.png", noise(64, 64))
    given = ["translate", str(translator), str(tmp_path / "a.png"), "--to", str(tmp_path / "out")]
    found = []
    for more in ([], ["--sharpness", "0"], ["--sharpness", "1"]):
        main([*given, *more])
        found.append(read_visible(tmp_path / "out/a.png"))
    assert np.array_equal(found[0], found[1])
    assert not np.array_equal(found[0], found[2])
    with pytest.raises(SystemExit, match=r"--sharpness is 1\.5; 0, for the least error, to 1"):
        main([*given, "--sharpness", "1.5"])


@pytest.mark.parametrize(
    ("option", "value", "told"),
    [
        ("sharpness", 0.5, r"sharpness 0\.5"),
        ("sentence", "a road", "sentence"),
        ("reference", "a.png", "reference"),
    ],
)
def test_an_option_is_refused_where_a_method_has_no_use_for_it(
    option: str, value: object, told: str, tmp_path: Path
) -> None:
    translator = saved("cyclegan", tmp_path / "translator.safetensors")
    write_image(tmp_path / "a.png", noise(64, 64))
    given = [tmp_path / "a.png", "--to", tmp_path / "out", f"--{option}", value]
    with pytest.raises(SystemExit, match=f"--{told} is asked of CycleGAN; .* leave the option out"):
        _translate(translator, *given)
    assert not (tmp_path / "out").exists()


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


def _translate(translator: Path, *given: object) -> None:
    main(["translate", str(translator), *map(str, given)])


def test_only_its_own_images_are_replaced(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    one, out = saved("cyclegan", tmp_path / "one.safetensors"), tmp_path / "out"
    for name in ("a", "b"):
        write_image(tmp_path / f"in/{name}.png", noise(16, 16))
    write_image(out / "a.png", noise(16, 16, 3))  # a ground truth of the user's
    truth = (out / "a.png").read_bytes()
    for again in ([], ["--again"]):
        with pytest.raises(SystemExit, match=r"1 of 2 images .*\n.*a\.png exists and is not"):
            _translate(one, tmp_path / "in", "--to", out, *again)
        assert (out / "a.png").read_bytes() == truth
    first = (out / "b.png").read_bytes()
    edited = read_visible(out / "b.png").copy()
    edited[0, 0] ^= 255
    write_image(out / "b.png", edited, note=note_in(out / "b.png"))
    with pytest.raises(SystemExit, match=r"2 of 2 images"):  # an editor keeps the note
        _translate(one, tmp_path / "in", "--to", out)
    (out / "a.png").unlink()
    (out / "b.png").write_bytes(first)
    _translate(one, tmp_path / "in", "--to", out)
    two = saved("i2v_gan", tmp_path / "two.safetensors")
    _translate(two, tmp_path / "in", "--to", out)  # ours, of another translator: written anew
    assert (out / "b.png").read_bytes() != first
    assert "2 images" in capsys.readouterr().out


def test_what_is_finished_is_kept_until_something_changes(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    translator, out = saved("reference_contrastive", tmp_path / "t.safetensors"), tmp_path / "out"
    for name in ("a", "b"):
        write_image(tmp_path / f"in/{name}.png", noise(16, 16))
    write_image(tmp_path / "reference.png", noise(16, 16, 3))
    given = [tmp_path / "in", "--to", out]
    _translate(translator, *given)
    before = (out / "b.png").stat().st_mtime_ns
    write_image(tmp_path / "in/a.png", noise(17, 16))
    _translate(translator, *given)
    assert "2 images" in (said := capsys.readouterr().out) and "1 of them there before" in said
    assert read_visible(out / "a.png").shape == (17, 16, 3)
    assert (out / "b.png").stat().st_mtime_ns == before
    for more in (["--again"], ["--reference", tmp_path / "reference.png"]):
        _translate(translator, *given, *more)
        assert (out / "b.png").stat().st_mtime_ns != before
        assert "there before" not in capsys.readouterr().out
        before = (out / "b.png").stat().st_mtime_ns


def test_bad_images_are_listed_at_the_end_and_stop_no_others(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    translator, out = saved("cyclegan", tmp_path / "t.safetensors"), tmp_path / "out"
    for name, image in {"a": noise(16, 16), "b": noise(16, 16, 3), "e": noise(16, 16)}.items():
        write_image(tmp_path / f"in/{name}.png", image)
    Image.fromarray(noise(16, 16).astype(np.uint16) * 100).save(tmp_path / "in/d.png")
    (tmp_path / "in/c.jpg").write_bytes(b"no image")
    (tmp_path / "in/f.tif").mkdir()
    with pytest.raises(SystemExit) as ended:
        _translate(translator, tmp_path / "in", "--to", out)
    told = str(ended.value)
    assert "3 of 5 images were not translated" in told
    for words in ("b.png shows colour", "c.jpg cannot be read", "--tone '"):
        assert words in told
    assert "params.yaml" not in told
    assert "dvc repro" not in told
    assert {path.name for path in out.iterdir()} == {"a.png", "e.png"}
    assert "2 images in" in capsys.readouterr().out


def test_a_tone_that_makes_an_image_black_is_refused(tmp_path: Path) -> None:
    translator, out = saved("cyclegan", tmp_path / "t.safetensors"), tmp_path / "out"
    Image.fromarray(noise(16, 16).astype(np.uint16) + 7000).save(tmp_path / "a.png")
    with pytest.raises(SystemExit, match=r"values from 7000 to 72\d\d, all outside of the tone"):
        _translate(translator, tmp_path / "a.png", "--to", out, "--tone", "window 20000 30000")
    with pytest.raises(SystemExit, match=r"tone of a thermal image is 'b'.*correct --tone"):
        _translate(translator, tmp_path / "a.png", "--to", out, "--tone", "b")
    _translate(translator, tmp_path / "a.png", "--to", out, "--tone", "window 7000 7255")
    write_image(tmp_path / "b.png", noise(16, 16))
    with pytest.raises(SystemExit, match="without --tone"):
        _translate(translator, tmp_path / "b.png", "--to", out, "--tone", "window 7000 7255")


def test_a_page_can_be_chosen(tmp_path: Path) -> None:
    translator, out = saved("cyclegan", tmp_path / "t.safetensors"), tmp_path / "out"
    pages = [Image.fromarray(noise(side, 16)) for side in (16, 20)]
    pages[0].save(tmp_path / "a.tif", save_all=True, append_images=pages[1:])
    with pytest.raises(SystemExit, match="has 2 pages or frames"):
        _translate(translator, tmp_path / "a.tif", "--to", out)
    _translate(translator, tmp_path / "a.tif", "--to", out, "--page", 2)
    assert read_visible(out / "a.png").shape == (20, 16, 3)


@pytest.mark.parametrize(("more", "most"), [([], 89), (["--tile", 0], 17)])
def test_an_image_too_large_is_refused_unread(
    more: list[object], most: int, tmp_path: Path
) -> None:
    translator = saved("cyclegan", tmp_path / "t.safetensors")
    (tmp_path / "a.pgm").write_bytes(b"P5 12000 9000 255\n")
    said = rf"12000 by 9000 pixels \(108 megapixels\).*at most {most}"
    with pytest.raises(SystemExit, match=said):
        _translate(translator, tmp_path / "a.pgm", "--to", tmp_path / "out", *more)


def test_a_large_image_goes_in_tiles(tmp_path: Path) -> None:
    translator, out = saved("pix2pix", tmp_path / "t.safetensors"), tmp_path / "out"
    write_image(tmp_path / "a.png", noise(150, 100))
    found = []
    tiles = ["--tile", 64, "--overlap", 16]
    for more in ([], ["--tile", 0], tiles, [*tiles, "--tiles-alone"]):
        _translate(translator, tmp_path / "a.png", "--to", out, *more)
        found.append(read_visible(out / "a.png"))
    assert np.array_equal(found[0], found[1])  # it is small
    assert found[2].shape == found[0].shape
    assert not np.array_equal(found[0], found[2])
    assert not np.array_equal(found[2], found[3]), "without the colours of the whole"
    with pytest.raises(SystemExit, match="tiles of 64 pixels overlap by 40"):
        _translate(translator, tmp_path / "a.png", "--to", out, "--tile", 64, "--overlap", 40)


def test_a_lack_of_memory_is_one_images_failure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    translator, out = saved("cyclegan", tmp_path / "t.safetensors"), tmp_path / "out"
    for name, side in (("a", 64), ("b", 16)):
        write_image(tmp_path / f"in/{name}.png", noise(side, side))
    translate = Predictor.__call__

    def short(
        self: Predictor, images: np.ndarray, references: object, *, sharpness: float
    ) -> np.ndarray:
        if images.shape[1] == 64:
            raise RuntimeError("DefaultCPUAllocator: not enough memory: you tried to allocate 9 TB")
        return translate(self, images, None)

    monkeypatch.setattr(Predictor, "__call__", short)
    with pytest.raises(SystemExit, match=r"1 of 2 .*\n.*a\.png: memory ran out"):
        _translate(translator, tmp_path / "in", "--to", out)
    assert (out / "b.png").exists()


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only there memory is limited")
def test_an_image_that_needs_more_memory_than_is_free_fails_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    translator, out = saved("cyclegan", tmp_path / "t.safetensors"), tmp_path / "out"
    write_image(tmp_path / "in/a.png", np.zeros((4000, 4000), np.uint8))
    write_image(tmp_path / "in/b.png", noise(16, 16))
    monkeypatch.setattr(memory, "free_bytes", lambda: 400 << 20)
    monkeypatch.setattr(device, "find_device", lambda: torch.device("cpu"))
    before = resource.getrlimit(resource.RLIMIT_DATA)
    with pytest.raises(SystemExit, match=r"1 of 2 .*\n.*a\.png: memory ran out.*--tile 512"):
        _translate(translator, tmp_path / "in", "--to", out, "--tile", 0)
    assert (out / "b.png").exists()
    assert resource.getrlimit(resource.RLIMIT_DATA) == before


def test_a_file_is_no_folder_for_images(tmp_path: Path) -> None:
    translator = saved("cyclegan", tmp_path / "t.safetensors")
    write_image(tmp_path / "a.png", noise(16, 16))
    with pytest.raises(SystemExit, match=r"t\.safetensors is a file"):
        _translate(translator, tmp_path / "a.png", "--to", translator)
