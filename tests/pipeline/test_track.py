"""The last stage: what MLflow cannot take costs nothing, and what no reader can take is said."""

from pathlib import Path

import pytest

from thermochroma.base.errors import BadInput
from thermochroma.base.sealed import write_json
from thermochroma.baselines.catalogue import BASELINES
from thermochroma.contract.dataset import load_dataset
from thermochroma.pipeline.track import track
from thermochroma.tracking.journal import DATABASE, NOTE, SERVER
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


def run() -> None:
    """Call what the stage calls."""
    track(
        {"sample": ()},
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
