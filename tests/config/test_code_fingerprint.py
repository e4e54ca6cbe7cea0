"""A changed comment changes nothing; a changed shared module, exactly those who import it."""

from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.dvc_file import module_of, stages_of
from thermochroma.config.code_fingerprint import Fingerprinter
from thermochroma.pipeline.fingerprint import ONLY_LOOKS_ON

pytestmark = pytest.mark.xdist_group("fingerprints")  # one process reads each module once

FILES = {
    "pack/__init__.py": "",
    "pack/shared.py": '"""Shared."""\n\n\ndef width() -> int:\n    return 3\n',
    "pack/one.py": "from pack.shared import width\n\nONE = width()\n",
    "pack/two.py": "import math\n\nTWO = math.pi\n",
    "pack/looker.py": "PRINTS = True\n",
    "pack/three.py": "from pack import looker, one\n",
}


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    (tmp_path / "pack").mkdir()
    for name, text in FILES.items():
        (tmp_path / name).write_text(text)
    return tmp_path


def _of(tree: Path, name: str) -> str:
    return Fingerprinter(roots=[tree], skip=["pack.looker"]).of(tree / f"pack/{name}.py")


def _edit(tree: Path, name: str, old: str, new: str) -> None:
    path = tree / f"pack/{name}.py"
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def test_comments_docstrings_and_layout_do_not_count(tree: Path) -> None:
    before = _of(tree, "one")
    _edit(tree, "shared", "    return 3", "    # three\n    return (\n        3\n    )")
    _edit(tree, "shared", '"""Shared."""', '"""Used by several."""')
    assert _of(tree, "one") == before


def test_a_shared_module_counts_for_its_importers_alone(tree: Path) -> None:
    before = {name: _of(tree, name) for name in ("one", "two", "three")}
    _edit(tree, "shared", "return 3", "return 4")
    assert _of(tree, "one") != before["one"]
    assert _of(tree, "three") != before["three"]
    assert _of(tree, "two") == before["two"]


def test_a_package_counts_for_those_who_import_from_it(tree: Path) -> None:
    """Python runs it before them: that of `stages` sets what CUDA needs to be deterministic."""
    before = {name: _of(tree, name) for name in ("one", "two")}
    (tree / "pack/__init__.py").write_text("FIRST = 1\n")
    assert _of(tree, "one") != before["one"]
    assert _of(tree, "two") == before["two"], "it imports nothing of it"


OURS = Fingerprinter(roots=(ROOT / "src", ROOT), skip=ONLY_LOOKS_ON)  # reads each file once


def _closure(stage: str) -> set[str]:
    """The modules that the fingerprint of a stage names."""
    lines = OURS.of(ROOT / f"stages/{stage}.py")
    return {line.split()[0] for line in lines.splitlines()}


ROOMS = {  # stage: the rooms that its code may lie in; a closure that grows is seen here
    "fingerprint": {"base", "config", "contract", "pipeline"},
    "weights": {
        "base",
        "config",
        "contract",
        "data",
        "metrics",
        "networks",
        "pipeline",
        "pretrained",
    },
    "download": {"base", "contract", "data", "pipeline"},
    "register": {"base", "config", "contract", "data", "pipeline"},
    "card": {"base", "contract", "data", "pipeline", "reporting"},
    "crop": {"base", "config", "contract", "data", "loading", "pipeline"},
    "caption": {"base", "config", "contract", "data", "loading", "networks", "pipeline"},
    "encode": {"base", "loading", "networks", "pipeline"},
    "baselines": {
        *("base", "baselines", "config", "contract", "evaluation", "inference", "loading"),
        *("metrics", "networks", "pipeline"),
    },
    "ceiling": {
        *("base", "baselines", "config", "contract", "data", "evaluation", "inference", "loading"),
        *("metrics", "networks", "pipeline", "reporting"),
    },
    "train": {
        *("base", "config", "contract", "export", "inference", "loading", "metrics", "networks"),
        *("pipeline", "training"),
    },
    "evaluate": {
        *("base", "config", "contract", "evaluation", "export", "inference", "loading"),
        *("metrics", "networks", "pipeline"),
    },
    "entry": {
        *(
            "base",
            "config",
            "contract",
            "evaluation",
            "inference",
            "loading",
            "metrics",
            "networks",
        ),
        "pipeline",
    },
    "compare": {
        *("base", "baselines", "config", "contract", "evaluation", "export", "inference"),
        *("loading", "metrics", "networks", "pipeline", "reporting"),
    },
    "page": {
        *("base", "baselines", "config", "contract", "evaluation", "export", "inference"),
        *("loading", "metrics", "networks", "pipeline", "reporting"),
    },
    "track": {
        *("base", "baselines", "config", "contract", "evaluation", "export", "pipeline"),
        "training",
    },
}


def test_every_stage_has_a_row() -> None:
    stages = stages_of()
    assert {module_of(name) for name in stages} == set(ROOMS)


@pytest.mark.parametrize("stage", ROOMS)
def test_the_code_of_a_stage_lies_in_these_rooms(stage: str) -> None:
    modules = (name.split(".") for name in _closure(stage))
    found = {name[1] for name in modules if name[0] == "thermochroma" and len(name) > 2}
    assert found == ROOMS[stage]


def test_a_training_does_not_hang_on_how_it_is_scored_or_shown() -> None:
    """Whoever rewords a score's footnote, or adds a setting of the evaluation, retrains nothing."""
    train = _closure("train")
    assert {"stages", "thermochroma.inference.predictions", "thermochroma.training.loop"} <= train
    assert not train & {
        *("thermochroma.metrics.image_scores", "thermochroma.config.evaluation"),
        *("thermochroma.config.params", "thermochroma.config.machine"),
    }
    assert "thermochroma.metrics.image_scores" in _closure("evaluate")


def test_who_only_looks_on_does_not_count(tree: Path) -> None:
    before = _of(tree, "three")
    _edit(tree, "looker", "True", "False")
    assert _of(tree, "three") == before


def test_it_is_the_same_on_every_python(tree: Path) -> None:
    """`ast.dump` is not: 3.12 names type parameters, 3.13 leaves empty lists out."""
    (tree / "pack/all.py").write_text(
        "class One(list):\n    at: int = 3\n\n    async def go(self, *, by=None):\n"
        "        return f'{self.at:.2f} {by!r}', [], lambda: ...\n"
    )
    assert _of(tree, "all") == "all 4d0b57f10fd034a8\n"
