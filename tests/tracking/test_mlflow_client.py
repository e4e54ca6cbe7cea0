"""MLflow as a window: one run a training, nothing told twice."""

import logging
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.conftest import ROOT
from tests.tracking.test_model import saved
from thermochroma.baselines.catalogue import BASELINES
from thermochroma.contract.dataset import load_dataset
from thermochroma.pipeline.backfill import log_baselines, log_experiment, log_tables
from thermochroma.tracking.journal import digest_of, is_tracked, note_tracked, own_database
from thermochroma.tracking.lineage import CHANGED
from thermochroma.tracking.mlflow_client import (
    FINGERPRINT,
    NOTE,
    PIPELINE,
    WEIGHTS,
    Tracker,
    flatten,
    hush,
)

TAGS = {"dataset": "d", "method": "m"}


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    monkeypatch.setenv("MLFLOW_SYSTEM_METRICS_SAMPLING_INTERVAL", "60")
    return tmp_path


def _readings(tracker: Tracker, run_id: str, key: str) -> list[tuple[int, float]]:
    return [(one.step, one.value) for one in tracker.client.get_metric_history(run_id, key)]


def test_a_killed_training_goes_on_in_its_run(root: Path) -> None:
    rows = [{"images": float(n), "translator/content": 1.0 / n} for n in (10, 20, 30)]
    tracker = Tracker("d", root=root)
    with pytest.raises(KeyboardInterrupt), tracker.training("m1", name="m", tags=TAGS) as run:
        run.log_params({"budget": {"images": 30}, "lr": 0.1})
        run.log_rows(rows[:2])
        raise KeyboardInterrupt
    again = Tracker("d", root=root)
    with again.training("m1", name="m", tags=TAGS) as run:
        run.log_params({"budget": {"images": 30}, "lr": 0.1})
        run.log_rows(rows)
        run.log_panel(np.zeros((4, 4, 3), np.uint8), images=30)
        run.finish("abc")
    found = again.client.search_runs([again.experiment])
    assert len(found) == 1
    run_id = found[0].info.run_id
    assert _readings(again, run_id, "translator/content") == [(10, 0.1), (20, 0.05), (30, 1 / 30)]
    assert found[0].data.params == {"budget.images": "30", "lr": "0.1"}
    assert found[0].data.tags[FINGERPRINT] == "m1"


def test_a_training_whose_outputs_are_written_again_keeps_its_one_model(root: Path) -> None:
    tracker, translator, code = Tracker("d", root=root), saved("tir2lab", root), ROOT / "src"
    for fingerprint in ("m1", "m1", "m2"):
        with tracker.training(fingerprint, name="m", tags=TAGS) as run:
            run.log_model(
                translator, sees="thermal", text=None, reference=False, register_as="d-m", code=code
            )
    versions = tracker.client.search_model_versions("name = 'd-m'")
    runs = {tracker.find(**{FINGERPRINT: one}) for one in ("m1", "m2")}
    assert len(versions) == 2
    assert {one.run_id for one in versions} == {run.info.run_id for run in runs if run}

    def aliases() -> dict[str, str]:
        known = tracker.client.get_registered_model("d-m").aliases
        return {name: str(version) for name, version in known.items()}

    pointed = {}
    for one in versions:
        for _ in range(2):
            tracker.point("d-m", one.run_id)
            pointed[str(one.version)] = aliases()
    assert pointed == {"1": {PIPELINE: "1"}, "2": {PIPELINE: "2"}}
    tracker.point("d-m", "of a run that was restored and has registered none")
    assert aliases() == {}
    tracker.point("never-registered", versions[0].run_id)


def test_evaluation_finds_the_run_by_its_weights_and_tells_once(root: Path) -> None:
    tracker = Tracker("d", root=root)
    with tracker.training("m1", name="m", tags=TAGS) as run:
        run.finish("abc")
    found = tracker.find(**TAGS, **{WEIGHTS: "abc"})
    assert found is not None
    for _ in range(2):
        tracker.log_scores(found.info.run_id, {"test/psnr": 15.0, "test/ms_ssim": float("nan")})
    assert _readings(tracker, found.info.run_id, "test/psnr") == [(0, 15.0)]
    assert tracker.find(**TAGS, **{WEIGHTS: "other"}) is None
    assert tracker.find(dataset="other", **{WEIGHTS: "abc"}) is None


def test_what_came_from_a_cache_is_restored_and_marked(root: Path) -> None:
    tracker = Tracker("d", root=root)
    run_id = tracker.restore(name="m", tags={**TAGS, WEIGHTS: "abc"})
    tracker.log_rows(run_id, [{"images": 5.0, "validation/psnr": float("nan")}])
    found = tracker.find(**TAGS, **{WEIGHTS: "abc"})
    assert found is not None
    assert found.data.tags["restored"] == "true"
    assert found.info.status == "FINISHED"


def test_rows_tables_and_words_are_told_once(root: Path) -> None:
    scores = {"validation": {"psnr": 1.0}, "test": {"psnr": 2.0}}
    known = [name for some in BASELINES.values() for name in some.names]
    table = root / "test.md"
    for text in ("one", "one", "two"):
        table.write_text(text)
        tracker = Tracker("sample", root=root)
        log_experiment(tracker, load_dataset("sample"))
        log_baselines(tracker, "sample", dict.fromkeys(known, scores))
        log_tables(tracker, "sample", [table])
    found = tracker.client.search_runs([tracker.experiment])
    tags = [one.data.tags for one in found]
    assert sorted(one["row"] for one in tags if "row" in one) == sorted(known)
    assert all(NOTE in one for one in tags)
    colour = next(one for one in found if one.data.tags.get("row") == "mean_colour")
    assert (colour.data.tags["kind"], colour.data.tags["predicts"]) == ("trivial", "visible")
    assert _readings(tracker, colour.info.run_id, "evaluation/test/psnr") == [(0, 2.0)]
    kept = sorted(path.read_text() for path in (root / "mlruns").rglob("tables/test.md"))
    assert kept == ["one", "two"]
    assert "procedural" in tracker.client.get_experiment(tracker.experiment).tags[NOTE]


def test_a_run_of_an_experiment_is_named_by_what_it_has_changed(root: Path) -> None:
    tracker, tags = Tracker("d", root=root), {**TAGS, CHANGED: "weights.tv=4.0"}
    with tracker.training("m1", name="m", tags=tags) as run:
        begun = run.run_id
    for run_id in (begun, tracker.restore(name="m", tags={**tags, WEIGHTS: "abc"})):
        assert tracker.client.get_run(run_id).info.run_name == "m weights.tv=4.0"


def test_artifacts_lie_beside_the_database(root: Path) -> None:
    tracker = Tracker("d", root=root)
    run_id = tracker.restore(name="m", tags=TAGS)
    tracker.log_image_file(run_id, np.zeros((4, 4, 3), np.uint8), "grid.png")
    assert list((root / "mlruns").rglob("grid.png"))
    assert (root / "mlflow.db").exists()


def test_mlflow_says_nothing_but_warnings_unless_the_user_asks(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Its news, such as "Skip logging GPU metrics", tore the bars of progress."""
    logger = logging.getLogger("mlflow")
    monkeypatch.setattr(logger, "level", logging.INFO)
    monkeypatch.setenv("MLFLOW_LOGGING_LEVEL", "INFO")
    hush()
    assert logger.level == logging.INFO
    monkeypatch.delenv("MLFLOW_LOGGING_LEVEL")
    hush()
    assert logger.level == logging.WARNING


def test_nested_settings_get_dotted_names() -> None:
    nested: dict[str, Any] = {"a": {"b": 1, "c": {"d": [2]}}, "e": None}
    assert dict(flatten(nested)) == {"a.b": 1, "a.c.d": [2], "e": None}


def test_a_database_that_knows_all_is_not_asked_again(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    database = own_database(root)
    assert database is not None
    database.write_text("tables")
    (root / "one").write_text("1")
    content = digest_of([root / "one"])
    assert not is_tracked(database, content)
    note_tracked(database, content)
    assert is_tracked(database, content)
    (root / "one").write_text("2")
    assert not is_tracked(database, digest_of([root / "one"]))
    database.write_text("tables and rows")
    assert is_tracked(database, content)
    database.write_text("")  # made anew under the same number
    assert not is_tracked(database, content)
    database.unlink()
    assert not is_tracked(database, content)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:1")
    assert own_database(root) is None
