"""Log baselines, tables and descriptions to MLflow, so that trainings are read beside them in its UI."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from thermochroma.base.splits import SCORED_SPLITS
from thermochroma.contract.dataset import Dataset
from thermochroma.evaluation.summary import as_readings
from thermochroma.tracking.journal import digest_of
from thermochroma.tracking.lineage import lineage

if TYPE_CHECKING:
    from thermochroma.tracking.mlflow_client import Tracker

HOW_TO_READ = """
Scores are `evaluation/<split>/<score>`; `validation/…` are readings taken while a method was trained.

- **Search for `tags.predicts = 'visible'`, sort by `evaluation/test/psnr`**, and look where `mean_colour`
  stands. The tag `kind` says which rows are a `method`, predicted elsewhere (`entry`), fitted in closed
  form (`probe`), learn nothing (`trivial`), or see the truth (`oracle`, no competitors).
- `…/psnr_low` and `…/psnr_high` are the 95 % interval over sequences; tests are in the tables: the run
  `comparison`, tab *Artifacts*. Neighbouring frames are near copies, so that a difference of means alone
  says little.
- A sweep: select its runs, *Compare*, *Parallel coordinates*, with the swept weight and
  `validation/psnr`. Choose on validation, never on test.
"""


def log_experiment(tracker: "Tracker", record: Dataset) -> None:
    """Describe the data set in MLflow, and how its runs are read."""
    note = f" {record.note}." if record.note else ""
    tracker.describe_experiment(f"**{record.title}.**{note}\n{HOW_TO_READ}")


def log_baselines(tracker: "Tracker", dataset: str, summary: Mapping[str, Any]) -> None:
    """The trivial rows and oracles as runs of their own, to be sorted among the methods."""
    from thermochroma.baselines.catalogue import BASELINES, Oracle, Probe, Trivial  # loads torch

    for spectrum, known in BASELINES.items():
        kinds: dict[str, Mapping[str, Trivial | Probe | Oracle]] = {
            "trivial": known.trivial,
            "probe": known.probes,
            "oracle": known.oracles,
        }
        for name, one, kind in (
            (name, one, kind) for kind, rows in kinds.items() for name, one in rows.items()
        ):
            tags = {"dataset": dataset, "row": name, "kind": kind}
            found = tracker.find(**tags)
            run_id = tracker.add(name=name, tags=tags) if found is None else found.info.run_id
            scores = {split: summary[name][split] for split in SCORED_SPLITS}
            tracker.log_scores(run_id, as_readings(scores))
            sees = " It sees the truth." if kind == "oracle" else ""
            text = f"{one.title}: {one.definition}.{sees}"
            tracker.describe(run_id, text, tags={"predicts": spectrum})


def log_tables(tracker: "Tracker", dataset: str, tables: Sequence[Path]) -> None:
    """The tables as they are now, in a run of their own; one that is known is not told again."""
    tags = {"dataset": dataset, "kind": "comparison", "content": digest_of(tables)}
    if tracker.find(**tags) is not None:
        return
    run_id = tracker.add(name="comparison", tags=lineage(**tags))
    for table in tables:
        tracker.log_file(run_id, table, folder="tables")
    text = "All rows beside each other, with intervals and tests: *Artifacts*."
    tracker.describe(run_id, text, tags={})
