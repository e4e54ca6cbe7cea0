"""The shape of the code, held by tests: who imports whom, how long things are, what DVC is told."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from thermochroma.method import method_names
from thermochroma.params import read_params
from thermochroma.source import source_names

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "src/thermochroma"
MODULES = sorted(PACKAGE.rglob("*.py"))
BASE = {
    *("errors", "alone", "files", "files_by_name", "images", "tensors", "colour_space"),
    *("batch", "manifest", "settings"),
}
MAY_IMPORT = {  # folder: what its modules may import beside BASE and their own folder
    "networks": set(),
    "losses": {"networks"},
    "games": {"method", "networks", "losses"},  # objectives that several methods share
    "methods": {"method", "networks", "losses", "games"},
    "training": {"method"},
    "loading": {"networks"},
    "metrics": set(),
    "procedural": {"source"},
    "preparation": {"source", "networks", "metrics"},
    "sources": {"source", "preparation", "procedural"},
    "reporting": {"metrics", "preparation", "source"},
    "reporting_page": {"metrics", "params", "reporting"},
}
LONGEST_FUNCTION, LONGEST_MODULE = 60, 400


def _imports(path: Path) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def _first_party(path: Path) -> set[str]:
    return {name.split(".")[1] for name in _imports(path) if name.startswith("thermochroma.")}


@pytest.mark.parametrize("folder", MAY_IMPORT)
def test_imports_go_one_way(folder: str) -> None:
    for path in sorted((PACKAGE / folder).glob("*.py")):
        strangers = _first_party(path) - BASE - {folder} - MAY_IMPORT[folder]
        assert not strangers, f"{path.name} imports {sorted(strangers)}"


def test_methods_never_import_each_other() -> None:
    for path in (PACKAGE / "methods").glob("*.py"):
        assert not any(name.startswith("thermochroma.methods") for name in _imports(path))


def test_only_tracking_knows_mlflow_and_nothing_knows_dvc() -> None:
    for path in MODULES:
        imported = {name.split(".")[0] for name in _imports(path)}
        assert "dvc" not in imported
        assert ("mlflow" in imported) == path.name.startswith("tracking"), path


def test_functions_and_modules_stay_short() -> None:
    for path in [*MODULES, *sorted((ROOT / "stages").glob("*.py")), ROOT / "repro.py"]:
        text = path.read_text()
        assert text.count("\n") <= LONGEST_MODULE, path
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                length = (node.end_lineno or 0) - node.lineno + 1
                assert length <= LONGEST_FUNCTION, f"{path}: {node.name} has {length} lines"


def test_every_public_thing_says_what_it_is() -> None:
    silent = [
        f"{path.relative_to(PACKAGE)}: {node.name}"
        for path in MODULES
        for node in ast.parse(path.read_text()).body
        if isinstance(node, ast.FunctionDef | ast.ClassDef)
        and not node.name.startswith("_")
        and not node.name.endswith(("Settings", "Weights"))
        and ast.get_docstring(node) is None
    ]
    assert not silent


def test_packages_have_empty_inits() -> None:
    for path in PACKAGE.rglob("__init__.py"):
        assert path.read_text() == "", path


def test_dvc_sees_every_pair() -> None:
    """Two names that collide would make DVC drop a stage without a word."""
    params = read_params(ROOT / "params.yaml")
    listed = subprocess.run(
        [sys.executable, "-m", "dvc", "stage", "list", "--names-only"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split()
    for stage in ("train", "evaluate"):
        count = sum(name.startswith(f"{stage}@") for name in listed)
        assert count == len(params.datasets) * len(params.lineup)
        count = sum(name.startswith(f"{stage}_video@") for name in listed)
        assert count == len(params.video_datasets) * len(params.video_lineup)
    assert all(re.fullmatch(r"[a-z][a-z0-9_]*", name) for name in method_names() + source_names())


def test_every_stage_depends_on_its_own_code() -> None:
    stages = yaml.safe_load((ROOT / "dvc.yaml").read_text())["stages"]
    for name, stage in stages.items():
        module = name.removesuffix("_video")
        if name not in {"fingerprint", "track"}:
            assert f"data/fingerprints/stages/{module}.txt" in stage["deps"], name
        assert f"python -m stages.{module} " in stage["cmd"]


def test_the_last_stage_and_the_settings_need_no_torch() -> None:
    program = (
        "import sys, pathlib, stages.track, thermochroma.params as p;"
        "p.read_params(pathlib.Path('params.yaml'));"
        "sys.exit('torch' in sys.modules)"
    )
    subprocess.run([sys.executable, "-c", program], cwd=ROOT, check=True)


def test_yaml_numbers_are_numbers() -> None:
    text = (ROOT / "params.yaml").read_text()
    assert not re.search(r"(?<![\d.])\d+e-?\d+", text), "write exponents with a dot: 1.0e-4"


def test_no_address_of_a_package_index_is_written_down() -> None:
    for name in ("constraints.txt", "pyproject.toml", "Makefile"):
        text = (ROOT / name).read_text()
        assert "://" not in text.replace("http://127.0.0.1", "").replace("sqlite:///", ""), name
        assert " @ " not in text
