"""The shape of the code, held by tests: who imports whom, how long things are, what DVC is told."""

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

from tests.dvc_file import module_of, stages_of
from tests.rooms import MAY_IMPORT, MODULES, PACKAGE, ROOT, imports_of, rooms_that, tree_of
from tests.slow import ONE_OF_EACH, SLOW
from thermochroma.config.params import read_params
from thermochroma.contract.dataset import dataset_names
from thermochroma.contract.method import method_names

pytestmark = pytest.mark.xdist_group("architecture")  # one process parses each module once

LONGEST_FUNCTION, LONGEST_MODULE = 60, 390  # lines; of a module, its imports left out
LEANING = re.compile(  # openings of a docstring that cannot stand alone
    r"(What|How|Who|Where|When|Why|The same|Also|Like|Those|These|That|This|It|Its|They)\b"
)


def _lines(node: ast.stmt) -> int:
    return (node.end_lineno or 0) - node.lineno + 1


def test_every_room_has_a_rule_and_a_row() -> None:
    rooms = {path.name for path in PACKAGE.iterdir() if path.is_dir() and path.name[0] != "_"}
    assert rooms == set(MAY_IMPORT)
    assert [path.name for path in PACKAGE.glob("*.py")] == ["__init__.py"]


@pytest.mark.parametrize("room", MAY_IMPORT)
def test_imports_go_one_way(room: str) -> None:
    allowed = MAY_IMPORT[room]
    for path in sorted((PACKAGE / room).rglob("*.py")) if allowed is not None else []:
        strangers = rooms_that(path) - allowed
        assert not strangers, f"{path.relative_to(PACKAGE)} imports {sorted(strangers)}"


def test_no_room_is_reached_from_those_below_it() -> None:
    """Rooms in an order in which each imports only those before it: then there is no circle."""
    above = dict(MAY_IMPORT)
    while above:
        free = [room for room, allowed in above.items() if not (allowed or set()) & set(above)]
        assert free, f"these rooms import each other in a circle: {sorted(above)}"
        above = {room: allowed for room, allowed in above.items() if room not in free}


def test_no_module_reaches_itself() -> None:
    def name_of(path: Path) -> str:
        return ".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts)

    modules = {name_of(path): path for path in MODULES if path.name != "__init__.py"}
    TopologicalSorter(
        {name: imports_of(path) & set(modules) for name, path in modules.items()}
    ).prepare()  # raises CycleError with the circle


def test_methods_never_import_each_other() -> None:
    for path in (PACKAGE / "methods").glob("*.py"):
        assert not any(name.startswith("thermochroma.methods") for name in imports_of(path))


def test_only_tracking_knows_mlflow_only_the_cluster_ray_and_nothing_dvc() -> None:
    for path in MODULES:
        imported = {name.split(".")[0] for name in imports_of(path)}
        assert "dvc" not in imported
        assert "ray" not in imported or path.parent.name == "cluster", path
        assert "mlflow" not in imported or path.parent.name == "tracking", path


def test_functions_and_modules_stay_short() -> None:
    for path in [*MODULES, *sorted((ROOT / "stages").glob("*.py")), ROOT / "repro.py"]:
        tree = tree_of(path)
        imports = [one for one in tree.body if isinstance(one, ast.Import | ast.ImportFrom)]
        total = path.read_text().count("\n") - sum(map(_lines, imports))
        assert total <= LONGEST_MODULE, path
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                assert _lines(node) <= LONGEST_FUNCTION, f"{path}: {node.name} is long"


def test_every_public_thing_says_what_it_is() -> None:
    silent = [
        f"{path.relative_to(PACKAGE)}: {node.name}"
        for path in MODULES
        for node in tree_of(path).body
        if isinstance(node, ast.FunctionDef | ast.ClassDef)
        and not node.name.startswith("_")
        and not node.name.endswith(("Settings", "Weights"))
        and ast.get_docstring(node) is None
    ]
    assert not silent


def _docstrings(path: Path) -> Iterator[tuple[int, str]]:
    """Line and text of every string that is a statement: of modules, classes, functions and fields."""
    for node in ast.walk(tree_of(path)):
        value = node.value if isinstance(node, ast.Expr) else None
        if isinstance(value, ast.Constant) and isinstance(value.value, str):
            yield value.lineno, value.value


def test_docstrings_open_with_a_verb_or_a_noun() -> None:
    leaning = [
        f"{path.relative_to(PACKAGE)}:{line}: {text[:60]}"
        for path in MODULES
        for line, text in _docstrings(path)
        if LEANING.match(text)
    ]
    assert not leaning, "open with a verb or a noun phrase that stands alone:\n" + "\n".join(
        leaning
    )


def test_a_package_holds_its_rule_and_nothing_else() -> None:
    for path in PACKAGE.rglob("__init__.py"):
        body = tree_of(path).body
        rule = ast.get_docstring(ast.Module(body, []))
        assert len(body) == 1 and rule, f"{path} has one sentence"
        assert rule.endswith(".") and "\n\n" not in rule


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
        assert count == len(params.lineup_datasets) * len(params.lineup)
        count = sum(name.startswith(f"{stage}_video@") for name in listed)
        assert count == len(params.video_datasets) * len(params.video_lineup)
        count = sum(name.startswith(f"{stage}_single@") for name in listed)
        assert count == len(params.trainings)
    assert all(re.fullmatch(r"[a-z][a-z0-9_]*", name) for name in method_names() + dataset_names())


def test_every_stage_depends_on_its_own_code() -> None:
    stages = stages_of()
    for name, stage in stages.items():
        module = module_of(name)
        if name not in {"fingerprint", "track"}:
            assert f"data/fingerprints/stages/{module}.txt" in stage["deps"], name
        assert f"python -m stages.{module} " in stage["cmd"]


def test_the_last_stage_and_the_settings_need_no_torch() -> None:
    program = (
        "import sys, pathlib, thermochroma.pipeline.track, thermochroma.config.params as p;"
        "p.read_params(pathlib.Path('params.yaml'));"
        "sys.exit('torch' in sys.modules)"
    )
    subprocess.run([sys.executable, "-c", program], cwd=ROOT, check=True)


def test_yaml_numbers_are_numbers() -> None:
    text = (ROOT / "params.yaml").read_text()
    assert not re.search(r"(?<![\d.])\d+e-?\d+", text), "write exponents with a dot: 1.0e-4"


def test_no_address_of_a_package_index_is_written_down() -> None:
    for name in ("constraints.txt", "constraints-demo.txt", "pyproject.toml", "Makefile"):
        text = (ROOT / name).read_text()
        assert "://" not in text.replace("http://127.0.0.1", "").replace("sqlite:///", ""), name
        assert " @ " not in text


READERS_OWN = {  # files that a page tells its reader to write
    "matchers/xoftr.py",
    "src/thermochroma/methods/regressor.py",
}
DOCUMENTS = [
    *(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md", "SECURITY.md")),
    *sorted((ROOT / "docs").rglob("*.md")),
]


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_what_the_documents_name_is_there(path: Path) -> None:
    """A link, or a file of code in backticks: written from the root, from the package or by its name."""
    text, names = path.read_text(), {one.name for one in MODULES}
    links = re.findall(r"\]\(([^)#:\s]+)(?:#[^)]*)?\)", text)
    assert not [link for link in links if not (path.parent / link).exists()]
    files = re.findall(r"`([\w/]+\.py)`", text)
    known = [ROOT, PACKAGE, ROOT / "tests"]
    assert not [
        name
        for name in files
        if name not in names | READERS_OWN and not any((folder / name).exists() for folder in known)
    ]


def test_what_the_everyday_loop_leaves_out_is_there() -> None:
    """A renamed test would creep back into it, unseen."""
    for name in (*SLOW, *ONE_OF_EACH):
        file, _, test = name.partition("::")
        path = ROOT / "tests" / file
        assert path.exists(), name
        assert not test or f"def {test}" in path.read_text(), name


COMMANDED = [*DOCUMENTS, *sorted((ROOT / "benchmarks").rglob("*.py")), ROOT / "stages" / "sweep.py"]


@pytest.mark.parametrize("path", COMMANDED, ids=lambda path: str(path.relative_to(ROOT)))
def test_commands_in_the_documents_have_the_options_that_they_name(path: Path) -> None:
    for module, rest in re.findall(r"python -m ([\w.]+)((?:[^\n]|(?<=\\)\n)*)", path.read_text()):
        place = ROOT / module.replace(".", "/")
        file = place / "__main__.py" if place.is_dir() else place.with_suffix(".py")
        if not file.exists():  # a library's
            continue
        code = file.read_text()
        tree = ast.parse(code)
        needed = {
            argument.arg
            for node in ast.walk(tree)
            if isinstance(node, ast.FunctionDef) and node.name == "main"
            for argument in node.args.args
        }
        known = needed | set(re.findall(r"\"--([\w-]+)\"", code))
        named = set(re.findall(r"(?<!\S)--([\w-]+)", rest.split("#")[0]))
        assert named <= known, f"{module} has no {sorted(named - known)}"
        # A line that goes on without a backslash leaves out options, and a shell would say so.
        assert not named or needed <= named, f"{module} needs {sorted(needed - named)}"
