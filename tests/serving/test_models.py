"""Translators by name: what was trained here is listed, found, and told apart."""

import shutil
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest

from tests.serving.test_translate import noise, saved
from thermochroma.base.files import sha256
from thermochroma.base.images import write_image
from thermochroma.base.tables import write_csv
from thermochroma.export.artifact import load_translator, save_translator
from thermochroma.export.metadata import Metadata
from thermochroma.serving.cli import main
from thermochroma.serving.models import PACKAGED


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Pix2pix on two data sets, one of them drawn and scored; the way back on one."""
    for dataset, block in (("roadscene", "pix2pix"), ("sample", "pix2pix"), ("sample", "scgan")):
        (folder := tmp_path / "data/runs" / dataset / block).mkdir(parents=True)
        path = saved(block, folder / "translator.safetensors")
        network, metadata = load_translator(path)
        save_translator(network, path, Metadata(**{**vars(metadata), "trained_on": dataset}))
    table = pd.DataFrame({"split": ["validation", "test", "test"], "psnr": [9, 20, 21]})
    write_csv(tmp_path / "data/scores/sample/pix2pix/scores.csv", table)
    write_image(tmp_path / "in/a.png", noise(64, 64))
    return tmp_path


def _translate(project: Path, name: str) -> bytes:
    out = project / f"out of {name.replace('/', ' ')}"
    words = ["translate", name, project / "in", "--to", out, "--data", project / "data"]
    main([str(word) for word in words])
    return (out / "a.png").read_bytes()


def test_what_was_trained_is_listed(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(["models", "--data", str(project / "data")])
    head, *lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == [
        *("starter", "roadscene/pix2pix", "sample/pix2pix", "sample/scgan")
    ]
    assert head.index("direction") == lines[1].index("thermal to visible")
    assert ["not for use" in line for line in lines] == [True, False, True, True]
    assert ["20.50 dB" in line for line in lines] == [False, False, True, False]
    assert lines[1].endswith(str(project / "data/runs/roadscene/pix2pix/translator.safetensors"))


def test_a_damaged_one_is_named_and_hides_no_other(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (project / "data/runs/sample/pix2pix/translator.safetensors").write_bytes(b"torn")
    with pytest.raises(SystemExit, match=r"sample/pix2pix: .*translator\.safetensors"):
        main(["models", "--data", str(project / "data")])
    assert len(capsys.readouterr().out.splitlines()) == 4


def test_a_name_stands_for_its_file(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = str(project / "data/runs/sample/scgan/translator.safetensors")
    assert _translate(project, "scgan") == _translate(project, "sample/scgan")
    assert _translate(project, path) == _translate(project, "scgan")
    told = capsys.readouterr().err
    assert told.count("trained on drawn images: for trying the program, not for use") == 4
    _translate(project, "roadscene/pix2pix")
    assert "drawn" not in capsys.readouterr().err


def test_names_that_are_none_or_several_are_told_with_all_that_there_are(project: Path) -> None:
    with pytest.raises(SystemExit, match=r"several .* one of roadscene/pix2pix, sample/pix2pix;"):
        _translate(project, "pix2pix")
    with pytest.raises(SystemExit, match=r"`scgen` is neither .*mean `scgan`\?.*, sample/scgan;"):
        _translate(project, "scgen")
    shutil.rmtree(project / "data/runs")
    with pytest.raises(SystemExit, match="nothing was trained here yet"):
        _translate(project, "scgan")


def test_the_starter_needs_no_training(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_image(tmp_path / "in/a.png", noise(40, 50))
    out = _translate(tmp_path, "starter")
    assert cv2.imdecode(np.frombuffer(out, np.uint8), cv2.IMREAD_COLOR).shape == (40, 50, 3)
    assert "trained on drawn images: for trying the program" in capsys.readouterr().err
    main(["models", "--data", str(tmp_path / "data")])
    assert [line.split()[0] for line in capsys.readouterr().out.splitlines()[1:]] == ["starter"]


def test_the_starter_is_small_and_its_card_is_of_the_very_file() -> None:
    assert PACKAGED.stat().st_size <= 2**20
    card = (PACKAGED.parent / "card.md").read_text()
    assert sha256(PACKAGED) in card
    assert "RoadScene" in card, "what it does on real images, whatever that is"
