"""`thermochroma verify`: every byte that DVC noted is compared, in the project and in its cache."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml

from thermochroma.base.errors import BadInput
from thermochroma.base.files import sha256
from thermochroma.base.images import write_image
from thermochroma.base.manifest import FRAME_COLUMNS, write_table
from thermochroma.base.shards import write_shard
from thermochroma.serving.cli import main
from thermochroma.serving.verify import verify

DOWNLOAD = "true --frames data/frames/x.csv --raw data/raw/x --report r --metrics m.json"
COPY = "mkdir -p data && rm -rf data/crops && cp -r made data/crops"


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project after `dvc repro`, whose stages copy a folder of shards and list raw images."""
    root = tmp_path_factory.mktemp("project")
    image = np.random.default_rng(0).integers(0, 256, (8, 8), np.uint8)
    row = dict.fromkeys(FRAME_COLUMNS, "") | {"frame": "a/0", "width": 8, "height": 8}
    for spectrum in ("thermal", "visible"):
        write_shard(root / f"made/{spectrum}/a.npy", [image, image + 1 + (spectrum == "visible")])
        write_image(root / f"data/raw/x/{spectrum}.png", image + (spectrum == "visible"))
        digest = sha256(root / f"data/raw/x/{spectrum}.png")
        row |= {spectrum: f"{spectrum}.png", f"{spectrum}_sha256": digest}
    write_table(root / "frames.csv", pd.DataFrame([row]), FRAME_COLUMNS)
    listing = f"mkdir -p data/frames && cp frames.csv data/frames/x.csv && {DOWNLOAD}"
    stages = {
        "download": {"cmd": listing, "deps": ["frames.csv"], "outs": ["data/frames/x.csv"]},
        "crop": {"cmd": COPY, "deps": ["made"], "outs": ["data/crops"]},
    }
    (root / "dvc.yaml").write_text(yaml.safe_dump({"stages": stages}))
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    for command in (["init", "--no-scm", "--quiet"], ["repro", "--quiet"]):
        environment = os.environ | {"PATH": path, "DVC_NO_ANALYTICS": "1"}
        subprocess.run(["dvc", *command], cwd=root, env=environment, check=True)
    return root


@pytest.fixture
def project(done: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(done, tmp_path / "project"))


def _turn(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[-2] ^= 1
    path.chmod(0o644)
    path.write_bytes(content)


def _damages(project: Path) -> list[str]:
    return [sentence for finding in verify(project) for sentence in finding.damages]


def test_a_sound_project(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(["verify", str(project)])
    assert [line.partition(":")[2] for line in capsys.readouterr().out.splitlines()] == [
        " 5 compared, all sound",  # a table, two shards and their sums
        " 5 compared, all sound",
        " 1 compared, all sound",
        " 2 compared, all sound",
        " 2 compared, all sound",
    ]


def test_a_damaged_output_whose_copy_is_sound(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shard = project / "data/crops/thermal/a.npy"
    _turn(shard)
    with pytest.raises(SystemExit) as ended:
        main(["verify", str(project)])
    assert ended.value.code == 1
    said = capsys.readouterr().out
    assert f"{shard} is not what its stage left; remove it and run `dvc checkout`" in said
    assert "a.npy was changed after it was written (image 1)" in said


def test_a_damaged_copy_in_the_cache_is_named_too(project: Path) -> None:
    """As with hard links, where the output and its copy are one file."""
    table = project / "data/frames/x.csv"
    _turn(table)
    (cached,) = (
        one for one in project.glob(".dvc/cache/files/md5/*/*") if b"rows:1" in one.read_bytes()
    )
    cached.unlink()
    os.link(table, cached)
    first, second, third, *raw = _damages(project)
    assert f"{table} is not what its stage left; remove it, and its copy {cached}, and run" in first
    assert f"{cached} is damaged (it should hold {table}); remove it" in second
    assert f"{table} differs from its own digest" in third
    assert len(raw) == 1, "the table of frames cannot be read"


def test_what_is_missing_and_what_is_too_many(project: Path) -> None:
    (project / "data/crops/visible/a.crc32").unlink()
    (project / "data/crops/visible/b.npy").touch()
    stranger, missing = _damages(project)[:2]
    assert "visible/b.npy is no file that the stage left" in stranger
    assert "visible/a.crc32 is missing; run `dvc checkout`" in missing


def test_a_folder_without_its_list_is_hashed_as_dvc_does(project: Path) -> None:
    (listed,) = project.glob(".dvc/cache/files/md5/*/*.dir")
    listed.unlink()
    assert _damages(project) == []
    _turn(project / "data/crops/thermal/a.npy")
    (sentence,) = _damages(project)
    assert "data/crops is not the folder that `crop` left" in sentence


def test_an_exchanged_raw_image(project: Path) -> None:
    _turn(project / "data/raw/x/visible.png")
    (project / "data/raw/x/thermal.png").unlink()
    missing, other = _damages(project)
    assert "thermal.png is missing; put the former file back" in missing
    assert "visible.png is another file; put the former file back, or run `dvc repro -f" in other
    shutil.rmtree(project / "data/raw")
    assert _damages(project) == []
    assert any("is not here" in finding.kind for finding in verify(project))


def test_another_place_of_the_cache_is_found(project: Path, tmp_path: Path) -> None:
    (project / ".dvc/cache").rename(tmp_path / "elsewhere")
    (project / ".dvc/config").write_text("[cache]\n    dir = ../../elsewhere\n")
    assert [finding.compared for finding in verify(project)][:2] == [5, 5]


@pytest.mark.parametrize("text", [None, "", "- 1", "stages: [", "schema: '2.0'"])
def test_no_record_to_compare_with(tmp_path: Path, text: str | None) -> None:
    if text is not None:
        (tmp_path / "dvc.lock").write_text(text)
    with pytest.raises(BadInput, match=r"dvc\.lock .*run it in the project"):
        [*verify(tmp_path)]
