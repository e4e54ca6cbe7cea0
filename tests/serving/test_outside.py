"""Frames out, predictions in: what a method's own images score is what its row says, in both directions."""

import csv
import io
import json
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml
from PIL import Image
from scipy.ndimage import gaussian_filter

from stages.entry import main as run_stage
from tests.conftest import ROOT
from tests.made_crops import Sequence, make_crops
from tests.serving.test_translate import saved
from thermochroma.base.images import read_thermal, read_visible, write_image
from thermochroma.base.sealed import write_json
from thermochroma.base.tables import read_csv
from thermochroma.baselines.catalogue import BASELINES
from thermochroma.config.evaluation import EvaluateSettings
from thermochroma.config.params import read_params
from thermochroma.evaluation.gallery import FILE, FRAMES, IMAGES
from thermochroma.evaluation.perceptual import DISTANCES
from thermochroma.loading.crops import Crops
from thermochroma.metrics.perceptual import LPIPS_TRUNKS
from thermochroma.networks.frozen import ORIGIN
from thermochroma.pipeline.baselines import evaluate_baselines
from thermochroma.pipeline.evaluate import evaluate
from thermochroma.pipeline.outside_runs import read_scored
from thermochroma.pipeline.results import (
    ResultFolders,
    baseline_rows,
    of_split,
    outside_row,
    row_of,
)
from thermochroma.pretrained.write_weights import write_efficientnet
from thermochroma.reporting.layout import COST, About, Row
from thermochroma.reporting.table import build_table
from thermochroma.reporting.table_text import to_csv
from thermochroma.serving.cli import main

SIDE = 64
SETTINGS = EvaluateSettings(
    batch_size=4,
    frames_per_sequence=None,
    video_pairs=None,
    panel_frames=2,
    gallery_frames=None,
    timing_rounds=1,
)
SEQUENCES = {
    "set00/a": Sequence(4),
    "set00/v": Sequence(2, split="validation"),
    "set01/t": Sequence(3, split="test", dropped=(1,)),
    "set01/u": Sequence(3, split="test"),
}
ROWS = {"visible": "cyclegan", "thermal": "thermal_mask"}
"""A method for each spectrum that is predicted."""


def _predict(name: str, n: int) -> tuple[np.ndarray, np.ndarray]:
    """A slow drive past a texture, another one for each sequence."""
    rng = np.random.default_rng([*name.encode()])
    smooth = gaussian_filter(rng.normal(size=(SIDE, SIDE + 20, 4)), (3, 3, 0), mode="wrap")
    image = (smooth * 900 + 128).clip(0, 255).round().astype(np.uint8)[:, 2 * n : 2 * n + SIDE]
    return np.ascontiguousarray(image[..., 0]), np.ascontiguousarray(image[..., 1:])


def evaluated(root: Path, block: str, folder: Path, *, batch_size: int) -> Path:
    """Evaluate a method as the stage does; gives the folder of its scores."""
    run = root / "data/runs" / block
    evaluate(
        "sample",
        SETTINGS.model_copy(update={"batch_size": batch_size}),
        note="",
        crops=root / "data/crops/sample",
        text=root / "none",
        translator=run / "translator.safetensors",
        snapshots=run / "snapshots",
        perception=root / "data/weights/perception",
        folder=folder,
        metrics=folder / "means.json",
    )
    return folder


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Crops, baselines and the scores of one method a direction, as the stages leave them."""
    root = tmp_path_factory.mktemp("project")
    crops, perception = root / "data/crops/sample", root / "data/weights/perception"
    make_crops(crops, SEQUENCES, _predict)
    efficientnet = root / "data/weights/efficientnet_lite0"
    write_efficientnet(efficientnet, kind="stand_in", stand_in_width_divisor=16)
    for name in (*LPIPS_TRUNKS, *DISTANCES):
        write_json(perception / name / ORIGIN, {"kind": "stand_in"})
    evaluate_baselines(
        SETTINGS,
        note="",
        crops=crops,
        efficientnet=efficientnet,
        perception=perception,
        folder=root / "data/baselines/sample",
        metrics=root / "baselines.json",
    )
    for block in ROWS.values():
        run = root / "data/runs" / block
        (run / "snapshots").mkdir(parents=True)
        saved(block, run / "translator.safetensors")
        write_json(run / "cost.json", dict.fromkeys(COST, 1) | {"training_device": "a processor"})
        evaluated(root, block, root / "data/scores/sample" / block, batch_size=SETTINGS.batch_size)
    params = yaml.safe_load((ROOT / "params.yaml").read_text())
    params["crop"]["sample"]["size"] = SIDE
    params["evaluate"]["sample"] = SETTINGS.model_dump()
    (root / "params.yaml").write_text(yaml.safe_dump(params))
    return root


def command(project: Path, *words: object) -> None:
    main([str(word) for word in (*words, "--data", project / "data")])


def score(project: Path, folder: Path, *more: object) -> None:
    given = ("--dataset", "sample", "--name", "Theirs", "--params", project / "params.yaml")
    command(project, "score", folder, *given, *more)


def stored(path: Path) -> pd.DataFrame:
    return read_csv(path / "scores.csv", needed="scores", dtype={"place": str, "time": str})


def cells(text: str) -> dict[str, dict[str, str]]:
    return {row["row"]: row for row in csv.DictReader(io.StringIO(text))}


def in_png(gallery: Path, folder: Path) -> Path:
    """Write the images of a gallery as somebody would hand them in."""
    kept = np.load(gallery)
    for frame, image in zip(kept[FRAMES], kept[IMAGES], strict=True):
        write_image(folder / f"{frame.replace('/', '__')}.png", image.squeeze())
    return folder


@pytest.mark.parametrize("spectrum", ROWS)
def test_a_methods_own_images_get_its_row_to_the_last_digit(
    spectrum: str, project: Path, tmp_path: Path
) -> None:
    scores = project / "data/scores/sample" / ROWS[spectrum]
    predicted = in_png(scores / FILE, tmp_path / "predicted")
    score(project, predicted, "--predicts", spectrum, "--to", tmp_path / "scored")
    of_method = stored(scores)
    wanted = of_method[of_method["split"] == "test"].reset_index(drop=True)
    pd.testing.assert_frame_equal(stored(tmp_path / "scored"), wanted, check_exact=True)
    about, rows = table_of(project, spectrum)
    shown = cells((tmp_path / "scored/table.csv").read_text())
    expected = cells(to_csv(build_table(rows, about, seed=0)))
    assert {name for name, row in shown.items() if row["kind"] == "trivial"} <= {*expected}
    differing = {"row", "title", "kind", "psnr_chosen", *COST}
    for key in {*shown["scored"]} - differing:
        assert shown["scored"][key] == expected[ROWS[spectrum]][key], key
    assert shown["scored"]["flicker"] and shown["scored"]["p_psnr"]


@pytest.mark.parametrize("spectrum", ROWS)
def test_the_stage_writes_what_the_command_prints(
    spectrum: str, project: Path, tmp_path: Path
) -> None:
    block = ROWS[spectrum]
    scores = project / "data/scores/sample" / block
    predicted = in_png(scores / FILE, tmp_path / "predicted")
    entry = {"dataset": "sample", "folder": str(predicted), "title": "Theirs"}
    entry |= {"predicts": spectrum, "cost": {"parameters": 7, "device": "an abacus"}}
    params = yaml.safe_load((project / "params.yaml").read_text()) | {"entries": {"theirs": entry}}
    (tmp_path / "params.yaml").write_text(yaml.safe_dump(params))
    run_stage(
        "theirs",
        tmp_path / "params.yaml",
        crops=project / "data/crops/sample",
        perception=project / "data/weights/perception",
        folder=tmp_path / "scores/theirs",
        metrics=tmp_path / "theirs.json",
    )
    score(project, predicted, "--predicts", spectrum, "--to", tmp_path / "scored")
    written = tmp_path / "scores/theirs"
    assert (written / "scores.csv").read_bytes() == (tmp_path / "scored/scores.csv").read_bytes()
    for name in ("panel.npz", FILE, "flicker.csv", "distances.json"):
        assert (written / name).read_bytes() == (scores / name).read_bytes(), name
    means = json.loads((tmp_path / "theirs.json").read_text())
    assert means["validation"] == {}
    assert means["test"]["psnr"] == stored(written)["psnr"].mean()
    entries = read_params(tmp_path / "params.yaml").comparison("sample").outside
    told = read_scored("theirs", entries["theirs"], tmp_path / "theirs.json")
    assert re.fullmatch("[0-9a-f]{64}", told.predictions), "by it MLflow knows the images again"
    row = outside_row(entries["theirs"], written)
    assert (row.kind, row.cost) == ("entry", {"parameters": 7, "device": "an abacus"})


def table_of(project: Path, spectrum: str) -> tuple[About, dict[str, Row]]:
    """What `compare` would make the table of: the method, trivial rows and oracles, on the test split."""
    data, block = project / "data", ROWS[spectrum]
    places = ResultFolders(
        data / "runs", data / "scores/sample", data / "baselines/sample", Path(), Path()
    )
    rows = {block: row_of(block, [block], places)} | baseline_rows(spectrum, places.baselines)
    reference = BASELINES[spectrum].reference
    about = About("sample", "T", "", "test", SIDE, "", reference, spectrum)
    return about, of_split(rows, "test")


@pytest.mark.parametrize("spectrum", ROWS)
def test_what_translate_makes_of_the_frames_is_what_is_evaluated(
    spectrum: str, project: Path, tmp_path: Path
) -> None:
    """Image by image: a processor rounds the sums of other batches otherwise, so that a level may turn."""
    block = ROWS[spectrum]
    translator = project / "data/runs" / block / "translator.safetensors"
    shown, predicted = tmp_path / "frames", tmp_path / "predicted"
    command(project, "frames", "--dataset", "sample", "--to", shown, "--predicts", spectrum)
    main(["translate", str(translator), str(shown), "--to", str(predicted)])
    scores = evaluated(project, block, tmp_path / "alone", batch_size=1)
    wanted = in_png(scores / FILE, tmp_path / "wanted")
    names = sorted(path.name for path in wanted.iterdir())
    assert names == sorted(path.name for path in predicted.iterdir())
    read = read_visible if spectrum == "visible" else read_thermal
    for name in names:
        assert np.array_equal(read(predicted / name), read(wanted / name)), name


def test_the_truth_is_written_only_if_asked(project: Path, tmp_path: Path) -> None:
    crops = Crops(project / "data/crops/sample")
    rows = {str(row["frame"]): row for _, row in crops.split("test").iterrows()}
    given = ("frames", "--dataset", "sample", "--to")
    command(project, *given, tmp_path / "blind")
    command(project, *given, tmp_path / "seen", "--truth", tmp_path / "truth")
    listed = pd.read_csv(tmp_path / "blind/frames.csv")
    assert listed["file"].tolist()[0] == "set01__t__0.png"
    assert listed["sequence"].tolist() == ["set01/t"] * 2 + ["set01/u"] * 3
    for place in (tmp_path / "blind", tmp_path / "seen"):
        assert {path.name for path in place.iterdir()} == {*listed["file"], "frames.csv"}
        for file, frame in zip(listed["file"], listed["frame"], strict=True):
            assert np.array_equal(np.asarray(Image.open(place / file)), crops.thermal(rows[frame]))
    for file, frame in zip(listed["file"], listed["frame"], strict=True):
        assert np.array_equal(read_visible(tmp_path / "truth" / file), crops.visible(rows[frame]))
    command(project, *given, tmp_path / "validation", "--split", "validation")
    assert len([*(tmp_path / "validation").glob("*.png")]) == 2


def test_the_truth_of_another_split_is_perfect(project: Path, tmp_path: Path) -> None:
    given = ("--dataset", "sample", "--split", "validation")
    command(project, "frames", *given, "--to", tmp_path / "in", "--truth", tmp_path / "truth")
    score(project, tmp_path / "truth", "--split", "validation", "--to", tmp_path / "scored")
    found = cells((tmp_path / "scored/table.csv").read_text())
    assert (found["scored"]["ssim"], found["scored"]["psnr"]) == ("1", "100")
    assert stored(tmp_path / "scored")["split"].tolist() == ["validation"] * 2
    with pytest.raises(SystemExit, match=r"lacks 5 of 5 images .* has 2 that belong to no frame"):
        score(project, tmp_path / "truth")


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("frames", "--dataset", "sample", "--to", "used"), "is not an empty folder"),
        (("frames", "--dataset", "sample", "--to", "a", "--truth", "a/b"), "one lies in the other"),
        (("frames", "--dataset", "irvi", "--to", "a"), "dvc repro baselines@irvi"),
        (("frames", "--dataset", "smaple", "--to", "a"), "no data set `smaple`"),
        (
            ("frames", "--dataset", "folders", "--to", "a"),
            "one of irvi, kaist, msrs, roadscene, sample;",
        ),
        (("score", "a", "--name", "A", "--truth", "used"), "without --thermal"),
        (("score", "a", "--name", "A", "--truth", "used", "--thermal", "b"), "b is no folder"),
        (("score", "a", "--name", "A", "--dataset", "kaist"), "holds no crops of kaist"),
    ],
)
def test_what_cannot_be_done_is_one_sentence(
    words: tuple[str, ...],
    sentence: str,
    project: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    write_image(tmp_path / "used/a.png", np.zeros((8, 8), np.uint8))
    with pytest.raises(SystemExit, match=sentence):
        command(project, *words)
    assert [path.name for path in tmp_path.iterdir()] == ["used"], "nothing is written"


def test_two_folders_are_scored_without_a_data_set(project: Path, tmp_path: Path) -> None:
    """A perfect prediction; each fitted row has seen the other images, and never the image's own truth."""
    for n in range(3):
        thermal, _ = _predict("x", n)
        flat = np.full((SIDE, SIDE, 3), 50 * n, np.uint8) + np.array([0, 1, 2], np.uint8)
        nearly_grey = np.stack([thermal // 2, thermal // 2 + 4, thermal // 2], axis=2)
        write_image(tmp_path / f"thermal/{n}.png", nearly_grey)
        write_image(tmp_path / f"truth/{n}.png", flat)
        write_image(tmp_path / f"theirs/{n}.png", flat)
    given = ["score", tmp_path / "theirs", "--name", "Theirs", "--truth", tmp_path / "truth"]
    command(project, *given, "--thermal", tmp_path / "thermal", "--to", tmp_path / "scored")
    found = cells((tmp_path / "scored/table.csv").read_text())
    assert (found["scored"]["ssim"], found["scored"]["psnr"]) == ("1", "100")
    squared = [75.0**2, 0.0, 75.0**2]  # levels 0, 50, 100 against the mean of the other two
    errors = stored(tmp_path / "scored")  # of the predictions themselves
    assert errors["mse"].tolist() == [0, 0, 0]
    mean = np.mean([100.0 if e == 0 else 10 * np.log10(255**2 / e) for e in squared])
    assert float(found["mean_colour"]["psnr"]) == pytest.approx(mean, rel=1e-5)
    assert "fitted to the other images" in (tmp_path / "scored/table.md").read_text()


def test_one_pair_or_unlike_names_are_refused(project: Path, tmp_path: Path) -> None:
    def pair(name: str, thermal: str) -> None:
        write_image(tmp_path / f"truth/{name}.png", _predict("x", 0)[1])
        write_image(tmp_path / f"theirs/{name}.png", _predict("x", 0)[1])
        write_image(tmp_path / f"thermal/{thermal}.png", _predict("x", 0)[0])

    given = ["score", tmp_path / "theirs", "--name", "A", "--truth", tmp_path / "truth"]
    given += ["--thermal", tmp_path / "thermal"]
    pair("0", "0")
    with pytest.raises(SystemExit, match="one image alone"):
        command(project, *given)
    pair("1", "2")
    with pytest.raises(SystemExit, match="2 images in one of the two alone, the first 1"):
        command(project, *given)
