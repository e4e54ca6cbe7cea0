"""What `compare` reads: whole scores or one sentence, never a table with holes."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from safetensors.numpy import save_file

from tests.examiner import SCALE, TEXT_WIDTH, settings_of
from thermochroma.base.errors import BadInput
from thermochroma.base.sealed import write_json
from thermochroma.base.tables import write_csv
from thermochroma.evaluation.outputs import write_panel
from thermochroma.export.artifact import snapshot_name, snapshots_in
from thermochroma.export.metadata import KEY
from thermochroma.loading.policies import NOTE_ON_CAPTIONS
from thermochroma.pipeline.compare import fitting_panel
from thermochroma.pipeline.results import (
    ResultFolders,
    galleries,
    mean_of_runs,
    of_split,
    policies_below,
    read_curve,
    read_rows,
    read_scores,
    with_policies,
)
from thermochroma.reporting.layout import Row
from thermochroma.training.snapshots import move_snapshots

GOOD = pd.DataFrame(
    {
        "frame": ["a/0", "a/1", "b/0"],
        "sequence": ["a", "a", "b"],
        "split": ["test", "test", "validation"],
        "place": ["", "", ""],
        "time": ["day", "day", "day"],
        "ssim": [0.5, 0.6, 0.7],
        "psnr": [15.0, 16.0, 17.0],
        "mse": [1.0, 2.0, 3.0],
        "ms_ssim": [np.nan, np.nan, np.nan],
    }
)


def left(folder: Path, scores: pd.DataFrame) -> Path:
    write_csv(folder / "scores.csv", scores)
    return folder


def test_whole_scores_are_read_and_may_lack_what_small_images_lack(tmp_path: Path) -> None:
    found = read_scores(left(tmp_path, GOOD))
    assert found["psnr"].tolist() == [15, 16, 17]
    assert found["place"].tolist() == ["", "", ""]
    assert found["ms_ssim"].isna().all()


def test_a_run_without_scores(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"scores\.csv does not exist.*dvc repro"):
        read_scores(tmp_path / "nobody")
    (tmp_path / "scores.csv").write_text("")
    with pytest.raises(BadInput, match="is empty"):
        read_scores(tmp_path)
    with pytest.raises(BadInput, match="has no image"):
        read_scores(left(tmp_path, GOOD.iloc[:0]))
    with pytest.raises(BadInput, match="has no split, psnr"):
        read_scores(left(tmp_path, GOOD.drop(columns=["split", "psnr"])))


def test_a_image_without_a_score(tmp_path: Path) -> None:
    broken = GOOD.assign(ssim=[0.5, np.nan, 0.7])
    with pytest.raises(BadInput, match="lacks a score of 1 image, the first a/1"):
        read_scores(left(tmp_path, broken))


def test_runs_of_one_block_have_one_row_of_means() -> None:
    found = mean_of_runs("cmmf_net", [GOOD, GOOD.assign(psnr=GOOD["psnr"] + 2)])
    assert found["psnr"].tolist() == [16, 17, 18]
    with pytest.raises(BadInput, match="runs of `cmmf_net` were scored on different images"):
        mean_of_runs("cmmf_net", [GOOD, GOOD.iloc[:2]])


def test_runs_are_split_with_their_row() -> None:
    row = Row("One", "method", GOOD, runs=(GOOD, GOOD))
    found = of_split({"one": row}, "test")["one"]
    assert [len(found.scores), *map(len, found.runs)] == [2, 2, 2]


def test_snapshots_are_read_whole_or_not_at_all(tmp_path: Path) -> None:
    curve = GOOD.assign(ssim_7u=0.4, images=[270, 300, 300])
    write_csv(tmp_path / "snapshots.csv", curve)
    found = read_curve(tmp_path)
    assert found["images"].tolist() == [270, 300, 300]
    assert found["place"].tolist() == ["", "", ""]
    row = Row("One", "method", GOOD, snapshots=(found,))
    parts = {split: of_split({"one": row}, split)["one"] for split in ("test", "training")}
    assert [len(one) for one in parts["test"].snapshots] == [2]
    assert parts["training"].snapshots == ()
    write_csv(tmp_path / "snapshots.csv", curve.drop(columns="ssim_7u"))
    with pytest.raises(BadInput, match=r"snapshots\.csv .*ssim_7u"):
        read_curve(tmp_path)
    with pytest.raises(BadInput, match="dvc repro"):
        read_curve(tmp_path / "nobody")


def test_a_missing_folder_of_snapshots_is_not_an_empty_one(tmp_path: Path) -> None:
    assert snapshots_in(tmp_path) == []
    for images in (1000, 90):
        (tmp_path / snapshot_name(images)).touch()
    assert [path.stem for path in snapshots_in(tmp_path)] == ["000000090", "000001000"]
    with pytest.raises(BadInput, match="nowhere is no folder"):
        snapshots_in(tmp_path / "nowhere")
    move_snapshots(tmp_path, tmp_path / "out")
    assert len(snapshots_in(tmp_path / "out")) == 2
    move_snapshots(tmp_path / "nothing was kept", tmp_path / "out")
    assert snapshots_in(tmp_path / "out") == []


def test_a_panel_of_another_size_or_number(tmp_path: Path) -> None:
    truths = [np.zeros((64, 64, 3), np.uint8)] * 2
    write_panel(tmp_path, np.zeros((2, 64, 64, 3), np.uint8))
    assert len(fitting_panel(tmp_path, truths)) == 2
    write_panel(tmp_path, np.zeros((2, 32, 32, 3), np.uint8))
    with pytest.raises(BadInput, match=r"holds 2 images of 32x32.*2 of 64x64"):
        fitting_panel(tmp_path, truths)
    write_panel(tmp_path, np.zeros((3, 64, 64, 3), np.uint8))
    with pytest.raises(BadInput, match="holds 3 images"):
        fitting_panel(tmp_path, truths)


def ship(folder: Path, block: str) -> None:
    """A file that is labelled as this block's translator; its weights are not read here."""
    folder.mkdir(parents=True)
    metadata = {
        "name": block,
        "settings": settings_of(block).model_dump(mode="json"),
        "scale": SCALE,
    }
    metadata |= {"text_width": TEXT_WIDTH, "trained_on": "made-up", "side": 64, "frozen": "random"}
    metadata = {KEY: json.dumps({**metadata, "images": 300})}
    save_file({"one": np.zeros(1, np.float32)}, folder / "translator.safetensors", metadata)


def test_rows_with_other_captions_stand_below_and_are_means_over_runs(tmp_path: Path) -> None:
    places = ResultFolders(*(tmp_path / name for name in ("runs", "scores", "baselines", "t", "f")))
    for block in ("cmmf_net", "cmmf_net_no_text"):
        ship(places.runs / block, block)
    policies = policies_below("cmmf_net", places)
    folders = [places.scores / name / "policies" for name in ("cmmf_net", "cmmf_net_seed_1")]
    for run, folder in enumerate(folders):
        for n, name in enumerate(policies):
            (folder / name).mkdir(parents=True)
            left(folder / name, GOOD.assign(psnr=GOOD["psnr"] + n + 2 * run))
            write_json(folder / name / "distances.json", {})
    row = Row("CMMF-Net", "method", GOOD, {"parameters": 1})
    found = with_policies("cmmf_net", row, folders, policies)
    assert [one.title for one in found.values()] == [
        "CMMF-Net",
        "CMMF-Net, shuffled captions",
        "CMMF-Net, empty caption",
        "CMMF-Net, constant caption",
    ]
    assert found["cmmf_net_shuffled"].scores["psnr"].tolist() == [16, 17, 18]
    assert found["cmmf_net_constant"].scores["psnr"].tolist() == [18, 19, 20]
    assert {one.note for name, one in found.items() if name != "cmmf_net"} == {NOTE_ON_CAPTIONS}
    kept = galleries(["cmmf_net", "cmmf_net_no_text"], "visible", places, [])
    assert kept["cmmf_net_empty"] == folders[0] / "empty/gallery.npz"
    assert not any(name.startswith("cmmf_net_no_text_") for name in kept)


def test_rows_of_one_dial_know_the_duller_one(tmp_path: Path) -> None:
    places = ResultFolders(*(tmp_path / name for name in ("runs", "scores", "baselines", "t", "f")))
    ship(places.runs / "thermochroma", "thermochroma")
    policies = policies_below("thermochroma", places)
    folder = places.scores / "thermochroma/policies"
    for name in policies:
        (folder / name).mkdir(parents=True)
        left(folder / name, GOOD)
        write_json(folder / name / "distances.json", {})
    found = with_policies("thermochroma", Row("T", "method", GOOD), [folder], policies)
    assert {name: row.sharper_than for name, row in found.items()} == {
        "thermochroma": "",
        "thermochroma_half_sharp": "thermochroma",
        "thermochroma_sharp": "thermochroma_half_sharp",
    }


def test_a_method_of_the_lineup_that_was_never_scored(tmp_path: Path) -> None:
    places = ResultFolders(*(tmp_path / name for name in ("runs", "scores", "baselines", "t", "f")))
    with pytest.raises(BadInput, match=r"scores/pix2pix/scores\.csv does not exist"):
        read_rows({"pix2pix": ["pix2pix"]}, "visible", places, {})
