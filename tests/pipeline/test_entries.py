"""Rows from outside stand in tables, in the matrix of wins and on the page, where they have scores."""

import csv
import json
import re
import shutil
from pathlib import Path

import pytest
import yaml

from stages.page import main as run_page
from tests.made_results import make_results
from thermochroma.base.errors import BadInput
from thermochroma.base.tables import write_csv
from thermochroma.config.params import read_params
from thermochroma.loading.crops import Crops
from thermochroma.pipeline.compare import Job, write_tables
from thermochroma.pipeline.results import (
    ResultFolders,
    about_of,
    blocks_of,
    by_spectrum,
    galleries,
    of_split,
    outside_of,
    read_rows,
    read_scores,
)

ENTRY = {"dataset": "sample", "folder": "theirs", "title": "Theirs | <b>", "predicts": "visible"}
CLAIMED = {"parameters": 54_400_000, "multiply_adds": 1.82e10, "latency_median_ms": 3.0}


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Results of a line-up, and an entry with the scores of Pix2pix on the test split."""
    root = tmp_path_factory.mktemp("results")
    make_results(root)
    change(root, {"theirs": {**ENTRY, "cost": {**CLAIMED, "device": "a GPU"}}})
    scores = root / "data/scores/sample"
    shutil.copytree(scores / "pix2pix", scores / "theirs")
    found = read_scores(scores / "pix2pix")
    write_csv(scores / "theirs/scores.csv", found[found["split"] == "test"])
    return root


def change(root: Path, entries: dict[str, object]) -> None:
    params = yaml.safe_load((root / "params.yaml").read_text()) | {"entries": entries}
    (root / "params.yaml").write_text(yaml.safe_dump(params))


def places_in(root: Path) -> ResultFolders:
    data = root / "data"
    folders = (data / name / "sample" for name in ("runs", "scores", "baselines"))
    return ResultFolders(*folders, root / "tables", root / "figures")


def test_an_entry_is_a_row_of_the_tables_and_of_the_matrix(root: Path) -> None:
    comparison, places = read_params(root / "params.yaml").comparison("sample"), places_in(root)
    entries = by_spectrum(comparison)["visible"]
    rows = read_rows(blocks_of(entries), "visible", places, outside_of(comparison, "visible"))
    job = Job(comparison, Crops(root / "data/crops/sample"), places, "")
    for split in ("test", "validation"):
        write_tables(job, of_split(rows, split), about_of(comparison, split, "visible", places))
    with (places.tables / "test.csv").open() as stream:
        found = {row["row"]: row for row in csv.DictReader(stream)}
    theirs, ours = found["theirs"], found["pix2pix"]
    assert theirs["kind"] == "entry"
    for score in ("ssim", "psnr", "psnr_low", "p_psnr", "flicker", "ciede2000"):
        assert theirs[score] == ours[score] != "", score
    assert float(theirs["parameters"]) == CLAIMED["parameters"]
    for key in ("latency_p95_ms", "training_images_per_second", "peak_memory_bytes", "psnr_chosen"):
        assert (theirs[key], ours[key] != "") == ("", True), key
    text = (places.tables / "test.md").read_text()
    assert "Theirs &#124; &lt;b> | 54.4 (claimed) | 18.2 (claimed) | 3.00 (claimed) |" in text
    assert "a GPU (claimed)" in text
    assert "Their cost is claimed, not measured here" in text
    assert "not whole, for: Theirs" not in text
    wins = (places.tables / "test_wins.csv").read_text()
    assert "pix2pix,theirs" in wins
    assert "theirs" in (places.tables / "test_sequences.csv").read_text()
    assert "Theirs" in (places.tables / "table_1.md").read_text()
    assert "Theirs" not in (places.tables / "validation.md").read_text(), "it has no scores there"


def test_a_direction_that_only_an_entry_predicts_has_its_tables(root: Path) -> None:
    comparison = read_params(root / "params.yaml").comparison("sample")
    assert outside_of(comparison, "thermal") == {}
    changed = yaml.safe_load((root / "params.yaml").read_text())
    changed["lineup"] = ["pix2pix"]
    changed["entries"]["theirs"]["predicts"] = "thermal"
    path = root / "thermal.yaml"
    path.write_text(yaml.safe_dump(changed))
    groups = by_spectrum(read_params(path).comparison("sample"))
    assert {name: len(group) for name, group in groups.items()} == {"visible": 1, "thermal": 0}


def test_an_entry_may_not_have_the_name_of_another_row(root: Path) -> None:
    entry = read_params(root / "params.yaml").entries["theirs"]
    with pytest.raises(BadInput, match=r"`entries\.mean_colour` has the name of another row"):
        read_rows({}, "visible", places_in(root), {"mean_colour": entry})


def test_an_entry_that_was_never_scored_is_named(root: Path) -> None:
    entry = read_params(root / "params.yaml").entries["theirs"]
    with pytest.raises(BadInput, match=r"nobody/scores\.csv does not exist"):
        read_rows({}, "visible", places_in(root), {"nobody": entry})


def test_the_page_shows_it_and_its_images(root: Path) -> None:
    data, page = root / "data", root / "reports/index.html"
    run_page(
        root / "params.yaml",
        *(data / name for name in ("crops", "runs", "scores", "baselines")),
        page=page,
        images=root / "reports/page",
    )
    found = re.search(
        r'<script type="application/json"[^>]*>(.*?)</script>', page.read_text(), re.S
    )
    assert found is not None
    section = json.loads(found[1])[0]["sections"][0]
    kinds = {row["name"]: row["kind"] for row in section["splits"]["test"]["rows"]}
    assert kinds["theirs"] == "entry"
    assert "theirs" not in {row["name"] for row in section["splits"]["validation"]["rows"]}
    assert {"theirs"} <= {met["one"] for met in section["duels"]["psnr"]}
    ours, theirs = (
        sorted((root / "reports/page/sample/predicted" / name).iterdir())
        for name in ("pix2pix", "theirs")
    )
    assert [one.read_bytes() for one in ours] == [one.read_bytes() for one in theirs]
    kept = galleries([], "visible", places_in(root), ["theirs"])
    assert kept["theirs"] == root / "data/scores/sample/theirs/gallery.npz"
