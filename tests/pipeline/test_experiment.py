"""An experiment of DVC that ends behind `evaluate` has its test scores in MLflow."""

from pathlib import Path

import pytest

from thermochroma.base.files import sha256
from thermochroma.pipeline.experiment import tell_experiment
from thermochroma.tracking.journal import DATABASE, SERVER
from thermochroma.tracking.mlflow_client import WEIGHTS, Tracker

SUMMARY = {"validation": {"psnr": 1.0}, "test": {"psnr": 2.0}}


@pytest.fixture
def translator(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A trained translator in the current folder, and variables as a stage has them."""
    monkeypatch.setenv(SERVER, "")
    monkeypatch.delenv(SERVER)
    monkeypatch.setenv("DVC_ROOT", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "translator.safetensors").write_text("weights")
    return tmp_path / "translator.safetensors"


def test_its_run_gets_the_scores_once(translator: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = translator.parent
    tell_experiment("d", "m", translator, SUMMARY)
    assert not (root / DATABASE).exists(), "the pipeline is told of by `track`"
    with Tracker("d", root=root).training(
        "f", name="m", tags={"dataset": "d", "method": "m"}
    ) as run:
        run.finish(sha256(translator))
    monkeypatch.setenv("DVC_EXP_BASELINE_REV", "HEAD")
    for _ in range(2):
        tell_experiment("d", "m", translator, SUMMARY)
    client = run.tracker.client
    (one,) = client.search_runs([run.tracker.experiment])
    assert one.data.metrics["evaluation/test/psnr"] == 2.0
    assert len(client.get_metric_history(one.info.run_id, "evaluation/test/psnr")) == 1
    translator.write_text("weights that came from the cache, without a run")
    tell_experiment("d", "m", translator, SUMMARY)
    restored = run.tracker.find(**{WEIGHTS: sha256(translator)})
    assert restored is not None
    assert restored.data.metrics["evaluation/validation/psnr"] == 1.0


def test_a_fault_of_mlflow_costs_no_scores(
    translator: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DVC_EXP_BASELINE_REV", "HEAD")
    monkeypatch.setenv(SERVER, "nonsense://there")
    tell_experiment("d", "m", translator, SUMMARY)
    assert "MLflow lacks them" in capsys.readouterr().err
