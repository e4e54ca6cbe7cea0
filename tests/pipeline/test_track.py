"""The last stage: what MLflow cannot take costs nothing, and what no reader can take is said."""

from pathlib import Path

import pytest
from mlflow.entities import Run

from thermochroma.base.errors import BadInput
from thermochroma.base.sealed import write_json
from thermochroma.baselines.catalogue import BASELINES
from thermochroma.config.outside import ClaimedCost, OutsideEntry
from thermochroma.contract.dataset import load_dataset
from thermochroma.pipeline.intervals import intervals_in
from thermochroma.pipeline.stored import PREDICTIONS
from thermochroma.pipeline.track import Trained, back_fill, card_of, logged_files, track
from thermochroma.tracking import mlflow_client
from thermochroma.tracking.journal import DATABASE, NOTE, SERVER
from thermochroma.tracking.mlflow_client import Tracker
from thermochroma.tracking.patience import HURRY


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """What `baselines` and `compare` leave; nothing is trained."""
    for name in (SERVER, *HURRY):
        monkeypatch.setenv(name, "")
        monkeypatch.delenv(name)
    monkeypatch.delenv("DVC_ROOT", raising=False)
    monkeypatch.chdir(tmp_path)
    scores = {"validation": {"psnr": 1.0}, "test": {"psnr": 2.0}}
    known = [name for some in BASELINES.values() for name in some.names]
    (tmp_path / "metrics/sample").mkdir(parents=True)
    write_json(tmp_path / "metrics/sample/baselines.json", dict.fromkeys(known, scores))
    (tmp_path / "reports/sample/tables").mkdir(parents=True)
    (tmp_path / "reports/sample/tables/test.md").write_text("| a |\n")
    return tmp_path


def run(**entries: OutsideEntry) -> None:
    """Call what the stage calls. entries: rows from outside."""
    track(
        {"sample": ()},
        outside={"sample": entries},
        records={"sample": load_dataset("sample")},
        runs=Path("runs"),
        metrics=Path("metrics"),
        reports=Path("reports"),
        checkpoints=Path(".checkpoints"),
        recorded=set(),
    )


def test_a_server_that_is_away_ends_no_run(
    project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(SERVER, "http://someone:secret@127.0.0.1:9")
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    run()
    said = capsys.readouterr().err
    assert said.count("thermochroma: all results are in their files, but MLflow lacks") == 1
    assert "change or unset MLFLOW_TRACKING_URI, then run `dvc repro track`" in said
    assert "secret" not in said.partition("thermochroma: ")[2]


def test_a_damaged_database_is_told_every_time_until_it_is_mended(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (project / DATABASE).write_bytes(bytes(range(256)) * 8)
    for _ in range(2):
        run()
        assert f"`rm {project / DATABASE}*`, then `dvc repro track`" in capsys.readouterr().err
    assert not (project / NOTE).exists()


def test_a_file_of_ours_that_is_damaged_ends_the_stage(
    project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(SERVER, "nonsense://there")
    (project / "metrics/sample/baselines.json").write_text("{")
    with pytest.raises(BadInput, match=r"baselines\.json"):
        run()
    assert "MLflow" not in capsys.readouterr().err


THEIRS = OutsideEntry(
    dataset="sample",
    folder="../theirs",
    title="Theirs | <b>",
    predicts="visible",
    cost=ClaimedCost(parameters=54_400_000, device="a GPU"),
)
TABLE = """dataset,row,title,kind,psnr,psnr_low,psnr_high,device,runs
sample,theirs,Theirs,entry,12.5,11.5,14.0,,
sample,mean_colour,Mean colour,trivial,2,1,3,,
sample,three_runs,Three runs,method,2,1,3,CPU,3
"""


def leave_scores(project: Path, *, images: str, psnr: float) -> None:
    """Write what the stages `entry` and `compare` leave of a row from outside."""
    scores = {"validation": {}, "test": {"psnr": psnr}, PREDICTIONS: images, "note": ""}
    write_json(project / "metrics/sample/theirs.json", scores)
    (project / "reports/sample/tables/test.csv").write_text(TABLE)


def runs_of(project: Path, **tags: str) -> list[Run]:
    """The runs with these tags, oldest first."""
    tracker = Tracker("sample", root=project)
    query = " and ".join(f"tags.`{name}` = '{value}'" for name, value in tags.items())
    return list(
        tracker.client.search_runs(
            [tracker.experiment], query, order_by=["attributes.start_time ASC"]
        )
    )


def test_a_row_from_outside_is_a_run_of_its_own_for_each_set_of_images(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    leave_scores(project, images="a" * 64, psnr=12.5)
    for _ in range(2):
        run(theirs=THEIRS)
        (project / NOTE).unlink()  # everything is told again
    (one,) = runs_of(project, row="theirs")
    tags, scores = one.data.tags, one.data.metrics
    assert (tags["kind"], tags["predicts"], tags["dataset"]) == ("entry", "visible", "sample")
    assert (tags["origin.folder"], tags["predictions.sha256"]) == ("../theirs", "a" * 64)
    assert (tags["claimed.parameters"], tags["claimed.device"]) == ("54400000", "a GPU")
    assert not {"method", "weights.sha256", "training.fingerprint"} & {*tags}, "it is no training"
    assert tags[mlflow_client.NOTE].startswith("Theirs &#124; &lt;b>: predictions made elsewhere")
    assert (one.info.run_name, one.info.status) == ("theirs", "FINISHED")
    assert scores == {
        "evaluation/test/psnr": 12.5,
        "evaluation/test/psnr_low": 11.5,
        "evaluation/test/psnr_high": 14.0,
    }
    (colour,) = runs_of(project, row="mean_colour")
    assert colour.data.metrics["evaluation/test/psnr_high"] == 3.0
    # what is said of the same images changes in their run; other images are another run
    run(theirs=THEIRS.model_copy(update={"title": "Renamed", "cost": None}))
    leave_scores(project, images="b" * 64, psnr=13.5)
    run(theirs=THEIRS)
    first, second = runs_of(project, row="theirs")
    assert first.data.tags[mlflow_client.NOTE].startswith("Renamed: ")
    assert first.data.tags["claimed.parameters"] == "nothing"
    assert first.data.metrics["evaluation/test/psnr"] == 12.5
    assert second.data.metrics["evaluation/test/psnr"] == 13.5
    assert second.data.tags["claimed.parameters"] == "54400000"


def test_scores_of_a_row_from_outside_without_the_digest_of_its_images_end_the_stage(
    project: Path,
) -> None:
    write_json(project / "metrics/sample/theirs.json", {"validation": {}, "test": {"psnr": 1.0}})
    with pytest.raises(BadInput, match=rf"theirs\.json has no {PREDICTIONS}"):
        run(theirs=THEIRS)


def test_a_table_without_repeats_has_no_column_of_runs(project: Path) -> None:
    text = "row,title,psnr_low,psnr_high\npix2pix,Pix2pix,1,3\n"
    (project / "reports/sample/tables/test.csv").write_text(text)
    found = intervals_in(project / "reports/sample/tables")
    assert found == {"pix2pix": {"test": {"psnr_low": 1.0, "psnr_high": 3.0}}}


def test_the_intervals_of_single_runs_alone_are_told(project: Path) -> None:
    (project / "reports/sample/tables/test.csv").write_text(TABLE)
    found = intervals_in(project / "reports/sample/tables")
    assert found == {
        "theirs": {"test": {"psnr_low": 11.5, "psnr_high": 14.0}},
        "mean_colour": {"test": {"psnr_low": 1.0, "psnr_high": 3.0}},
    }
    (project / "reports/sample/tables/test.csv").write_text("title\n1\n")
    with pytest.raises(BadInput, match=r"test\.csv"):
        intervals_in(project / "reports/sample/tables")


def test_a_card_is_kept_with_the_run_of_its_translator_once_for_each_text(project: Path) -> None:
    (cards := project / "reports/sample/cards").mkdir()
    (cards / "one.md").write_text("# A card\n")
    places = (Path("runs"), Path("metrics"), Path("reports"))
    files = [*logged_files({"sample": ("one",)}, {"sample": {}}, *places)]
    assert Path("reports/sample/cards/one.md") in files, "a changed card is told again"
    tracker = Tracker("sample", root=project)
    card = card_of(project / "reports", "sample", "one")
    one = Trained("one", "One", "visible", {}, "a" * 64, [], {}, card)
    for text in ("# A card\n", "# A card\n", "# Another\n"):
        (cards / "one.md").write_text(text)
        back_fill(tracker, "sample", one)
        (run,) = runs_of(project, method="one")
        place = tracker.client.download_artifacts(run.info.run_id, "card/one.md", str(project))
        assert Path(place).read_text() == text
    assert card_of(project / "reports", "sample", "two") is None
