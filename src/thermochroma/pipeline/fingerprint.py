"""Check params.yaml, and write what code and what budget each outcome depends on."""

import json
from pathlib import Path

from thermochroma.base.files import whole_folder, write_text
from thermochroma.config.code_fingerprint import fingerprint_code
from thermochroma.config.params import read_params
from thermochroma.contract.dataset import source_names

ONLY_LOOKS_ON = (
    "thermochroma.tracking",
    "stages.command",
    "stages.preflight",
)


def write_fingerprints(params: Path, source: Path, stages: Path, fingerprints: Path) -> None:
    """One file a stage, data set and line-up entry, and one a budget; removed ones vanish."""
    settings = read_params(params)
    package = source / "thermochroma"
    starts = {f"stages/{path.stem}": path for path in sorted(stages.glob("[a-z]*.py"))}
    starts |= {
        f"sources/{name}": package / "data/datasets" / f"{name}.py" for name in source_names()
    }
    for name in settings.methods:
        starts[f"lineup/{name}"] = package / "methods" / f"{settings.method(name).method}.py"
    roots = (source, stages.parent)
    with whole_folder(fingerprints) as part:
        for name, start in starts.items():
            text = fingerprint_code(start, roots=roots, skip=ONLY_LOOKS_ON)
            write_text(part / f"{name}.txt", text)
        for dataset in settings.budget:
            for name in settings.methods:  # by itself, so that an exception retrains one method
                text = json.dumps(settings.budget_of(dataset, name).deciding(), indent=2) + "\n"
                if settings.block_of(name) != name:  # DVC sees only the repeat's two keys
                    text += settings.method(name).model_dump_json(indent=2) + "\n"
                write_text(part / "budgets" / dataset / f"{name}.json", text)
