"""Client of MLflow: with `model` and `patience`, the only module that imports it.

Nothing is read from MLflow but what it has been given already. A training is one run, found again by
the training's fingerprint; its evaluation continues it, found by the weights' hash; missing runs are
filled in from files.
"""

import logging
import os
import sys
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import mlflow
import numpy as np
from jaxtyping import UInt8
from mlflow.entities import LifecycleStage, Metric, Param, Run
from mlflow.tracking import MlflowClient

from thermochroma.tracking.changes import flatten
from thermochroma.tracking.faults import in_one_sentence
from thermochroma.tracking.journal import SERVER, digest_of, own_database
from thermochroma.tracking.lineage import CHANGED
from thermochroma.tracking.model import model_of
from thermochroma.tracking.patience import hurry
from thermochroma.tracking.places import ARTIFACTS, address_of, mend_places
from thermochroma.tracking.tables import alone_with

FINGERPRINT, WEIGHTS = "training.fingerprint", "weights.sha256"
MOST_VALUE_LENGTH = 500  # MLflow refuses longer values of params
CARD = "card.sha256"
PIPELINE = "pipeline"
"""Alias of the version that is the translator of the present dvc.lock."""
BATCH = 1000  # metrics: MLflow takes no more in one call
NOTE = "mlflow.note.content"
"""Tag that the UI shows as the description, in Markdown."""

Reading = Mapping[str, float]


class Tracker:
    """Client of one experiment: the trainings on one data set."""

    def __init__(self, experiment: str, *, root: Path) -> None:
        """Open or create the experiment. root: folder of the database if MLFLOW_TRACKING_URI is not set.

        Like all methods, raises BadInput for whatever MLflow raises.
        """
        self.database = own_database(root)
        self.uri = address_of(self.database) if self.database else os.environ[SERVER]
        self.experiment = self._open(experiment, root)

    @contextmanager
    def training(
        self, fingerprint: str, *, name: str, tags: Mapping[str, str]
    ) -> Iterator["Training"]:
        """Begin or continue the run of the training with this fingerprint.

        An exception inside marks the run as failed and is raised again.
        """
        run = self.find(**{FINGERPRINT: fingerprint}) or self.client.create_run(
            self.experiment, run_name=named(name, tags), tags={**tags, FINGERPRINT: fingerprint}
        )
        mlflow.set_experiment(experiment_id=self.experiment)
        mlflow.enable_system_metrics_logging()
        with mlflow.start_run(run_id=run.info.run_id):
            yield Training(self, run.info.run_id)

    @in_one_sentence
    def find(self, /, **tags: str) -> Run | None:
        """Find the newest run with all these tags, or None. Tag names may contain dots."""
        query = " and ".join(f"tags.`{name}` = '{value}'" for name, value in tags.items())
        found = self.client.search_runs(
            [self.experiment], query, order_by=["attributes.start_time DESC"], max_results=1
        )
        return found[0] if found else None

    def restore(self, *, name: str, tags: Mapping[str, str]) -> str:
        """Add a run for a training whose own run is not here (e.g. restored from a cache). Its id."""
        return self.add(name=named(name, tags), tags={**tags, "restored": "true"})

    @in_one_sentence
    def point(self, model: str, run_id: str) -> None:
        """Let the alias PIPELINE name the newest version of a model that this run has registered.

        If the run has none, such as a restored one, no version has the alias: another would be wrong.
        """
        found = self.client.search_model_versions(f"name = '{model}'")
        own = [int(one.version) for one in found if one.run_id == run_id and one.status == "READY"]
        if not found:
            return
        now = self.client.get_registered_model(model).aliases.get(PIPELINE)
        if own and str(now) != str(max(own)):  # a database gives a number, a server a text
            self.client.set_registered_model_alias(model, PIPELINE, str(max(own)))
        elif not own and now is not None:
            self.client.delete_registered_model_alias(model, PIPELINE)

    @in_one_sentence
    def add(self, *, name: str, tags: Mapping[str, str]) -> str:
        """Add a finished run: of a trivial row or a table, or of a training elsewhere. Its id."""
        run = self.client.create_run(self.experiment, run_name=name, tags=dict(tags))
        self.client.set_terminated(run.info.run_id)
        return str(run.info.run_id)

    @in_one_sentence
    def describe(self, run_id: str, text: str, *, tags: Mapping[str, str]) -> None:
        """Set the run's description in the UI, in Markdown, and the tags that the UI filters by."""
        known = self.client.get_run(run_id).data.tags
        for key, value in {NOTE: text, **tags}.items():
            if known.get(key) != value:
                self.client.set_tag(run_id, key, value)

    @in_one_sentence
    def describe_experiment(self, text: str) -> None:
        """Set the text that the UI shows above the list of runs, in Markdown."""
        if self.client.get_experiment(self.experiment).tags.get(NOTE) != text:
            self.client.set_experiment_tag(self.experiment, NOTE, text)

    @in_one_sentence
    def log_file(self, run_id: str, path: Path, *, folder: str) -> None:
        """Keep a copy of a file with the run."""
        self.client.log_artifact(run_id, str(path), artifact_path=folder)

    @in_one_sentence
    def log_card(self, run_id: str, card: Path) -> None:
        """Keep the model card with the run; one that is there with the same text is left."""
        content = digest_of([card])
        if self.client.get_run(run_id).data.tags.get(CARD) != content:
            self.client.log_artifact(run_id, str(card), artifact_path="card")
            self.client.set_tag(run_id, CARD, content)

    @in_one_sentence
    def log_rows(self, run_id: str, rows: Sequence[Reading]) -> None:
        """Log readings against images shown; rows up to the last one logged are left out."""
        known = self.client.get_run(run_id).data.metrics
        last = known.get("images", -1.0)
        new = [row for row in rows if row["images"] > last]
        metrics = [
            Metric(key, value, timestamp=_now(), step=int(row["images"]))
            for row in new
            for key, value in row.items()
            if np.isfinite(value)
        ]
        for start in range(0, len(metrics), BATCH):
            self.client.log_batch(run_id, metrics=metrics[start : start + BATCH])

    @in_one_sentence
    def log_scores(self, run_id: str, scores: Reading) -> None:
        """Log scores once; those that are there already with the same value are left out."""
        known = self.client.get_run(run_id).data.metrics
        new = [
            Metric(key, value, timestamp=_now(), step=0)
            for key, value in scores.items()
            if np.isfinite(value) and known.get(key) != value
        ]
        if new:
            self.client.log_batch(run_id, metrics=new)

    @in_one_sentence
    def log_params(self, run_id: str, params: Mapping[str, Any]) -> None:
        """Log settings, nested ones by dotted names. Logging an equal value again is no error."""
        found = [Param(key, str(value)[:MOST_VALUE_LENGTH]) for key, value in flatten(params)]
        self.client.log_batch(run_id, params=found)

    @in_one_sentence
    def log_image_file(self, run_id: str, image: UInt8[np.ndarray, "h w 3"], name: str) -> None:
        """Log one image under a file name."""
        self.client.log_image(run_id, image, artifact_file=name)

    @in_one_sentence
    def _open(self, experiment: str, root: Path) -> str:
        """Open the database or reach the server; the id of the experiment."""
        hurry(self.uri)
        hush()
        root.mkdir(parents=True, exist_ok=True)
        with alone_with(root):
            if self.database:
                mend_places(self.database)
            mlflow.set_tracking_uri(self.uri)
            self.client = MlflowClient(self.uri)
            return self._experiment(experiment, root)

    def _experiment(self, name: str, root: Path) -> str:
        found = self.client.get_experiment_by_name(name)
        if found is None:
            # Explicit: MLflow would take the folder from the working directory of the process.
            local = self.uri.startswith("sqlite:")
            place = (root / ARTIFACTS / name).absolute().as_uri() if local else None
            return str(self.client.create_experiment(name, artifact_location=place))
        if found.lifecycle_stage == LifecycleStage.DELETED:  # its name is taken until `mlflow gc`
            self.client.restore_experiment(found.experiment_id)
            sys.stderr.write(
                f"thermochroma: MLflow's experiment `{name}` had been deleted; it is restored with its "
                "runs, since new ones belong to it.\n"
            )
        return str(found.experiment_id)


class Training:
    """The open run of one training."""

    def __init__(self, tracker: Tracker, run_id: str) -> None:
        self.tracker, self.run_id = tracker, run_id

    def log_params(self, params: Mapping[str, Any]) -> None:
        self.tracker.log_params(self.run_id, params)

    def log_rows(self, rows: Sequence[Reading]) -> None:
        self.tracker.log_rows(self.run_id, rows)

    def log_panel(self, panel: UInt8[np.ndarray, "h w 3"], *, images: int) -> None:
        """Log the panel after `images` images; the UI shows panels as a series."""
        mlflow.log_image(panel, key="panel", step=images, synchronous=True)

    def log_origin(self, *, data: str, code: str) -> None:
        """Log the fingerprints of the training data and of the code."""
        self.tracker.client.set_tag(self.run_id, "data.fingerprint", data)
        self.tracker.client.set_tag(self.run_id, "code.fingerprint", code)

    def finish(self, weights_sha256: str) -> None:
        """Log the hash of the final weights, by which the evaluation finds the run."""
        self.tracker.client.set_tag(self.run_id, WEIGHTS, weights_sha256)

    def log_model(
        self,
        translator: Path,
        *,
        sees: str,
        text: Path | None,
        reference: bool,
        register_as: str,
        code: Path,
    ) -> None:
        """Log the translator as a registered model that takes and returns 8-bit images.

        Once a run: outputs of a training that had ended before may only be written again.
        translator: its file. sees: "thermal" or "visible". text: folder of the text encoder, if it sees
        text. reference: whether it takes references. code: folder that holds the package `thermochroma`,
        which the model needs.
        """
        if self._has_model(register_as):
            return
        with (
            model_of(translator, sees=sees, text=text, reference=reference, code=code) as model,
            warnings.catch_warnings(),
        ):
            # with an example it would load the model and translate, at the end of every training
            warnings.filterwarnings("ignore", ".*An input example was not provided", UserWarning)
            mlflow.pyfunc.log_model(name="translator", registered_model_name=register_as, **model)

    def _has_model(self, name: str) -> bool:
        found = self.tracker.client.search_model_versions(
            f"name = '{name}' and run_id = '{self.run_id}'"
        )
        return any(one.status == "READY" for one in found)


def named(name: str, tags: Mapping[str, str]) -> str:
    """Name of a run: behind that of the training, what its experiment has changed."""
    return f"{name} {tags[CHANGED]}" if CHANGED in tags else name


def hush() -> None:
    """Let MLflow say nothing but warnings, unless the user asks for more: its news tear the bars."""
    if not os.environ.get("MLFLOW_LOGGING_LEVEL"):
        logging.getLogger("mlflow").setLevel(logging.WARNING)


def _now() -> int:
    import time

    return int(time.time() * 1000)
