"""Check params.yaml, and write what code and what budget each outcome depends on."""

import json
from pathlib import Path

from thermochroma.base.files import whole_folder, write_text
from thermochroma.config.code_fingerprint import Fingerprinter
from thermochroma.config.params import Params
from thermochroma.contract.dataset import Dataset, dataset_names

ONLY_LOOKS_ON = (
    "thermochroma.tracking",
    "thermochroma.base.endings",
    "thermochroma.config.machine",
    "thermochroma.config.params",
    "thermochroma.config.parsing",
    "thermochroma.training.launch",
    "stages.command",
    "stages.preflight",
    "stages.watch",
)
"""Modules that decide no outcome: MLflow's, the command line, keys that suit a training to a machine; and
the door for params.yaml, since DVC compares the values that come through it."""


def write_fingerprints(params: Params, *, source: Path, stages: Path, fingerprints: Path) -> None:
    """Write one file a stage, data set, entry, block, cropping, comparison, budget; removed ones vanish."""
    package = source / "thermochroma"
    starts = {f"stages/{path.stem}": path for path in sorted(stages.glob("[a-z]*.py"))}
    records = {name: params.dataset(name) for name in params.sources}
    files = {name: name for name in dataset_names()}
    files |= {name: params.source(name).kind or name for name in records}
    starts |= {
        f"sources/{name}": package / "data/datasets" / f"{file}.py" for name, file in files.items()
    }
    facts = {f"sources/{name}": _facts(record) for name, record in records.items()}
    for name in params.methods:
        starts[f"lineup/{name}"] = package / "methods" / f"{params.method(name).method}.py"
    code = Fingerprinter(roots=(source, stages.parent), skip=ONLY_LOOKS_ON)
    with whole_folder(fingerprints) as part:
        for name, start in starts.items():
            write_text(part / f"{name}.txt", code.of(start) + facts.get(name, ""))
        for name, record in records.items():
            write_text(part / "titles" / f"{name}.txt", f"{record.title}\n")
        for name in params.methods:  # as parsed; of a repeat, DVC would see only its two keys
            text = params.method(name).model_dump_json(indent=2) + "\n"
            write_text(part / "blocks" / f"{name}.json", text)
        _write_of_datasets(params, part)


def _write_of_datasets(params: Params, part: Path) -> None:
    """Write a file for each data set's crops and rows of tables, and for the length of each training."""
    for dataset, crop in params.crop.items():  # DVC's cache of runs leaves out keys called `size`
        text = crop.model_dump_json(indent=2) + "\n"
        write_text(part / "crops" / f"{dataset}.json", text)
    for dataset in params.datasets:  # by itself, so that no other data set's tables are made again
        trained, lacking = params.trained_on(dataset), params.needs_video(dataset)
        text = json.dumps({"trained": trained, "needs video": lacking}, indent=2) + "\n"
        write_text(part / "comparisons" / f"{dataset}.json", text)
    for dataset in params.budget:
        for name in params.methods:  # by itself, so that an exception retrains one method
            text = json.dumps(params.budget_of(dataset, name).deciding(), indent=2) + "\n"
            write_text(part / "budgets" / dataset / f"{name}.json", text)


def _facts(record: Dataset) -> str:
    """Fields of a record, beside its functions, that decide outcomes; a title only names them."""
    names = ("stills", "upscale", "aligned", "drawn", "note")
    return f"{json.dumps({name: getattr(record, name) for name in names})}\n"
