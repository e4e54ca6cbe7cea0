"""Translators as ONNX, through the commands: the same image as by torch, and no torch needed."""

import json
import os
import subprocess
import sys
import tomllib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.metadata import packages_distributions
from pathlib import Path

import jaxtyping
import numpy as np
import pytest
import torch
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.conftest import ROOT
from tests.examiner import BLOCKS, SCALE, settings_of
from tests.export.test_archive import card_for
from tests.export.test_onnx_file import TOLD, model, saved
from tests.serving.test_translate import noise
from thermochroma.base.images import read_thermal, read_visible, write_image
from thermochroma.contract.batch import Captioned
from thermochroma.contract.method import Direction, load_method
from thermochroma.export.artifact import build_translator, save_translator
from thermochroma.export.metadata import Metadata
from thermochroma.serving import places
from thermochroma.serving.cli import main

STRONGER = {"pix2pix": 2, "mugan": 10, "reference_contrastive": 8}
"""By what fresh weights are multiplied, so that an image has many levels. Not more than that: a network
can be so steep that torch itself is a grey level from what float64 gives."""


def written(block: str, path: Path, *, encoder: Path) -> Path:
    """A translator with fresh weights, whose images have many levels."""
    torch.manual_seed(0)
    settings = settings_of(block)
    method, text_width = load_method(settings.method), 0
    if method.sees is Captioned:
        text_width = json.loads((encoder / "config.json").read_text())["hidden_size"]
    translator = build_translator(method, settings, scale=SCALE, text_width=text_width)
    with torch.no_grad():
        for weight in translator.parameters():
            if weight.ndim == 4:
                weight.mul_(STRONGER.get(block, 1))
                if not weight.any():
                    torch.nn.init.normal_(weight, std=0.1)
    raw = json.loads(settings.model_dump_json())
    save_translator(translator, path, Metadata(block, raw, SCALE, text_width, "a", 64, "b", None))
    return path


@contextmanager
def sizes_as_tensors() -> Iterator[None]:
    """Let networks be traced: their sizes are tensors then, which the tests' check of types refuses."""
    jaxtyping.config.update("jaxtyping_disable", True)
    try:
        yield
    finally:
        jaxtyping.config.update("jaxtyping_disable", False)


@pytest.mark.parametrize("block", BLOCKS)
def test_onnx_runtime_writes_the_image_that_torch_writes(
    block: str, tmp_path: Path, weights: Path
) -> None:
    encoder, method = weights / "clip", load_method(settings_of(block).method)
    translator = written(block, tmp_path / "translator.safetensors", encoder=encoder)
    file = tmp_path / "translator.onnx"
    text = ["--text", str(encoder)]
    with sizes_as_tensors():
        main(["export", str(translator), "--onnx", str(file), *text])
    colour = method.direction is Direction.VISIBLE_TO_THERMAL
    for name, sides in (("a", (101, 67)), ("b", (45, 131))):
        write_image(tmp_path / f"in/{name}.png", noise(*sides, 3) if colour else noise(*sides))
    names = set(method.sees.__dataclass_fields__)
    more = ["--sharpness", "0.6"] if "sharpness" in names else []
    if "reference" in names:
        write_image(tmp_path / "reference.png", noise(80, 72, 3))
        more = ["--reference", str(tmp_path / "reference.png")]
    given = [str(tmp_path / "in"), *more]
    main(["translate", str(translator), *given, *text, "--to", str(tmp_path / "torch")])
    main(["translate", str(file), *given, "--runtime", "onnx", "--to", str(tmp_path / "onnx")])
    for name in ("a", "b"):
        read = read_thermal if colour else read_visible
        wanted, found = (
            read(tmp_path / one / f"{name}.png").astype(int) for one in ("torch", "onnx")
        )
        assert wanted.std() > 2, "an image with levels to compare"
        assert np.abs(found - wanted).max() <= 1


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a translator, its ONNX file and an image."""
    folder = tmp_path_factory.mktemp("onnx")
    translator = written("tir2lab", folder / "translator.safetensors", encoder=folder)
    write_image(folder / "in/a.png", noise(45, 67))
    main(["export", str(translator), "--onnx", str(folder / "translator.onnx")])
    return folder


def without(packages: Sequence[str], *arguments: str) -> subprocess.CompletedProcess[str]:
    """How the command ends where packages are not installed."""
    code = (
        "import sys\n"
        f"sys.modules.update(dict.fromkeys({list(packages)!r}))\n"
        "from thermochroma.serving.cli import main\n"
        "main(sys.argv[1:])\n"
    )
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "src")}
    return subprocess.run(
        [sys.executable, "-c", code, *arguments],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


def imports_of_extra(extra: str) -> list[str]:
    """Names that the packages of an extra are imported by."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    asked = [Requirement(one).name for one in project["optional-dependencies"][extra]]
    packages = {canonicalize_name(one) for one in asked}
    return [
        name
        for name, owners in packages_distributions().items()
        if packages & {canonicalize_name(one) for one in owners}
    ]


def test_a_machine_without_torch_paints_the_same_image(made: Path, tmp_path: Path) -> None:
    lacking = [*imports_of_extra("full"), "onnx"]
    assert {"torch", "cv2", "mlflow", "yaml"} <= set(lacking)
    given = ["translate", str(made / "translator.onnx"), str(made / "in"), "--to"]
    ended = without(lacking, *given, str(tmp_path / "without"))
    assert ended.returncode == 0, ended.stderr
    main([*given, str(tmp_path / "with")])
    assert (tmp_path / "without/a.png").read_bytes() == (tmp_path / "with/a.png").read_bytes()
    translator = str(made / "translator.safetensors")
    ended = without(lacking, "translate", translator, str(made / "in"), "--to", str(tmp_path / "b"))
    assert ended.returncode == 1
    assert "`pip install 'thermochroma[full]'`" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_a_machine_without_onnx_runtime_is_told_the_extra(
    made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    for runtime in ([], ["--runtime", "onnx"]):
        given = [str(made / "translator.onnx"), str(made / "in"), "--to", str(tmp_path), *runtime]
        with pytest.raises(SystemExit, match=r"pip install 'thermochroma\[onnx\]'"):
            main(["translate", *given])


def test_the_archives_onnx_is_used_where_it_is_asked_for(
    made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(places, "user_cache_path", lambda name: tmp_path / "cache" / name)
    translator, file = str(made / "translator.safetensors"), str(made / "translator.onnx")
    card = card_for(made / "translator.safetensors", tmp_path / "card.md")
    archive = tmp_path / "one.zip"
    main(["publish", translator, "--to", str(archive), "--card", str(card), "--onnx", file])
    for place, to in ((str(archive), "packed"), (file, "alone")):
        more = ["--runtime", "onnx", "--to", str(tmp_path / to)]
        main(["translate", place, str(made / "in"), *more])
    assert (tmp_path / "packed/a.png").read_bytes() == (tmp_path / "alone/a.png").read_bytes()
    (kept,) = (tmp_path / "cache").rglob("*.onnx")
    kept.write_bytes(kept.read_bytes()[:-1])
    more = ["--runtime", "onnx", "--to", str(tmp_path / "again")]
    main(["translate", str(archive), str(made / "in"), *more])
    bare = tmp_path / "bare.zip"
    main(["publish", translator, "--to", str(bare), "--card", str(card)])
    with pytest.raises(SystemExit, match=r"bare.zip holds no translator.onnx"):
        main(["translate", str(bare), str(made / "in"), *more])


def test_the_onnx_of_another_translator_is_not_published(made: Path, tmp_path: Path) -> None:
    other = written("pix2pix", tmp_path / "other.safetensors", encoder=tmp_path)
    card = card_for(other, tmp_path / "card.md")
    given = ["publish", str(other), "--to", str(tmp_path / "a.zip"), "--card", str(card), "--onnx"]
    with pytest.raises(SystemExit, match="was made of another translator"):
        main([*given, str(made / "translator.onnx")])
    with pytest.raises(SystemExit, match=r"an ONNX file that `thermochroma export` wrote"):
        main([*given, str(other)])
    assert not (tmp_path / "a.zip").exists()


def test_the_library_that_a_file_is_not_for_is_refused(made: Path, tmp_path: Path) -> None:
    for file, runtime, sentence in (
        ("translator.safetensors", "onnx", "write one first, `thermochroma export"),
        ("translator.onnx", "torch", "is for ONNX Runtime, and --runtime torch is given"),
    ):
        given = [str(made / file), str(made / "in"), "--to", str(tmp_path), "--runtime", runtime]
        with pytest.raises(SystemExit, match=sentence):
            main(["translate", *given])


@pytest.mark.parametrize(
    ("to", "sentence"),
    [
        ("a.bin", "a name that ends in .onnx"),
        ("there.onnx", "is not as `export` wrote it"),
        ("folder.onnx", "is not as `export` wrote it"),
        ("there.onnx/a.onnx", "a file lies where a folder is needed"),
    ],
)
def test_a_place_that_cannot_be_written_is_told(
    made: Path, tmp_path: Path, to: str, sentence: str
) -> None:
    (tmp_path / "there.onnx").write_text("mine")
    (tmp_path / "folder.onnx").mkdir()
    with pytest.raises(SystemExit, match=sentence):
        main(["export", str(made / "translator.safetensors"), "--onnx", str(tmp_path / to)])
    assert (tmp_path / "there.onnx").read_text() == "mine"


def test_what_is_no_translator_is_not_exported(made: Path, tmp_path: Path) -> None:
    (tmp_path / "no.safetensors").write_bytes(b"no")
    for given, sentence in (
        (str(tmp_path / "no.safetensors"), "no.safetensors"),
        ("nothing", "neither a file nor a translator's name"),
        (str(made / "translator.onnx"), "translator.onnx is an ONNX file already"),
    ):
        with pytest.raises(SystemExit, match=sentence):
            main(["export", given, "--onnx", str(tmp_path / "a.onnx"), "--data", str(tmp_path)])
    given = str(made / "translator.safetensors")
    with pytest.raises(SystemExit, match="--sentence is asked of TIR2Lab"):
        main(["export", given, "--onnx", str(tmp_path / "a.onnx"), "--sentence", "a road"])
    assert not (tmp_path / "a.onnx").exists()


def test_a_sentence_that_is_built_in_stays(made: Path, tmp_path: Path) -> None:
    """As metadata alone: whether its features are in the network is compared for each method above."""
    made_up = saved(tmp_path / "a.onnx", model({**TOLD, "sentence": "a road"}))
    write_image(tmp_path / "in/a.png", noise(8, 8))
    given = ["translate", str(made_up), str(tmp_path / "in"), "--to", str(tmp_path / "out")]
    main([*given, "--sentence", "a road"])
    main([*given, "--again"])
    with pytest.raises(SystemExit, match="has the sentence 'a road' built in"):
        main([*given, "--sentence", "a field"])
    plain = saved(tmp_path / "b.onnx", model(TOLD))
    with pytest.raises(SystemExit, match="--sentence is asked of Made"):
        main(["translate", str(plain), *given[2:], "--sentence", "a road"])


def test_what_a_file_gives_must_be_an_image(tmp_path: Path) -> None:
    wrong = model(TOLD)
    wrong.graph.node[0].input[:] = ["thermal"] * 2
    write_image(tmp_path / "in/a.png", noise(8, 12))
    given = [str(saved(tmp_path / "a.onnx", wrong)), str(tmp_path / "in")]
    with pytest.raises(SystemExit, match=r"turns images of 8 by 12 into \(1, 2, 8, 12\)"):
        main(["translate", *given, "--to", str(tmp_path / "out")])


def test_drawn_images_are_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_image(tmp_path / "in/a.png", noise(8, 8))
    for drawn in (True, False):
        path = saved(tmp_path / "a.onnx", model({**TOLD, "drawn": drawn}))
        main(["translate", str(path), str(tmp_path / "in"), "--to", str(tmp_path / f"{drawn}")])
        assert ("for trying the program" in capsys.readouterr().err) == drawn
