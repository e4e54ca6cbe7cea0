"""New methods and data sets from templates: they are those of the guides, and pass as they are written."""

import importlib
import importlib.util
import inspect
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import torch
import yaml

import thermochroma.data.datasets
import thermochroma.methods
from tests import examiner
from tests.conftest import ROOT
from tests.parameter_counts import count_of_shapes
from thermochroma.config.params import read_params
from thermochroma.contract import dataset, method
from thermochroma.networks.frozen import FrozenNetworks
from thermochroma.serving.cli import main
from thermochroma.training.loop import play

GUIDE = (ROOT / "docs/how-to/add-a-method.md").read_text(encoding="utf-8")
STEPS = 30
FOLDERS = (
    *("src/thermochroma/methods", "docs/methods"),
    *("src/thermochroma/data/datasets", "tests/data/datasets"),
)


@pytest.fixture
def clone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folders of a clone into which files are written, and its settings."""
    for folder in FOLDERS:
        (tmp_path / folder).mkdir(parents=True)
    for name in ("pyproject.toml", "params.yaml"):
        (tmp_path / name).write_text((ROOT / name).read_text(encoding="utf-8"), encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def found_there(clone: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Modules that are written into the clone are found beside those of the tree."""
    for package in (thermochroma.methods, thermochroma.data.datasets):
        own = clone / "src" / package.__name__.replace(".", "/")
        monkeypatch.setattr(package, "__path__", [*package.__path__, str(own)])
    importlib.invalidate_caches()
    yield
    for name in ("methods.two_words", "data.datasets.two_words"):
        sys.modules.pop(f"thermochroma.{name}", None)
    for package in (thermochroma.methods, thermochroma.data.datasets):
        vars(package).pop("two_words", None)


def _told(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    main([*words])
    return capsys.readouterr().out


def _block(told: str) -> dict[str, dict[str, object]]:
    text = told.partition("params.yaml:\n\n")[2]
    block: dict[str, dict[str, object]] = yaml.safe_load(re.split("\nAdd to |\nThen", text)[0])
    return block


def _lint(clone: Path) -> None:
    ours = 'lint.isort.known-first-party=["thermochroma", "tests"]'  # most of it is not there
    for words in (["check", "--config", ours], ["format", "--check"]):
        command = [sys.executable, "-m", "ruff", *words, "--no-cache", "src", "tests"]
        done = subprocess.run(command, cwd=clone, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout


def test_the_method_is_that_of_the_guide(clone: Path, capsys: pytest.CaptureFixture[str]) -> None:
    told = _told(capsys, "new-method", "regressor")
    written = (clone / "src/thermochroma/methods/regressor.py").read_text(encoding="utf-8")
    page = (clone / "docs/methods/regressor.md").read_text(encoding="utf-8")
    assert f"```python\n{written}```\n" in GUIDE
    assert f"```markdown\n{page}```\n" in GUIDE
    for language in ("yaml", "json"):
        (block,) = re.findall(rf"^```{language}\n(.*?)^```$", GUIDE, re.DOTALL | re.MULTILINE)[:1]
        assert block in told


def test_a_method_of_another_name_is_read_counted_and_learns(
    clone: Path,
    found_there: None,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    told = _told(capsys, "new-method", "two_words")
    _lint(clone)
    raw, added = examiner.raw_params(), _block(told)
    assert added["lineup"] == ["two_words"]
    raw["methods"] |= added["methods"]
    examiner.write_params(clone / "params.yaml", raw)
    names = [*method.method_names(), "two_words"]
    monkeypatch.setattr(method, "method_names", lambda: names)
    monkeypatch.setattr(examiner, "PARAMS", clone / "params.yaml")
    record = method.load_method("two_words")
    assert record.title == "Two words"
    assert record.settings.__name__ == "TwoWordsSettings"
    stored, _ = json.JSONDecoder().raw_decode(told[told.index("{\n") :])
    (part,) = stored["parts"].values()
    counted = {"two_words": {"translator": count_of_shapes(part["shapes"])}}
    assert record.published_parameters == counted
    training = examiner.begin("two_words", FrozenNetworks(clone), images=2 * STEPS)
    batch = examiner.batch_of("two_words")
    colour = torch.tensor([0.6, 0.3, 0.1]).view(3, 1, 1).expand_as(batch.target)
    batch = replace(batch, target=colour)
    losses = [float(play(training, batch)["translator/content"].detach()) for _ in range(STEPS)]
    assert losses[-1] < 0.8 * losses[0]


def test_a_data_set_is_read_and_passes_its_own_tests(
    clone: Path,
    found_there: None,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    told = _told(capsys, "new-dataset", "two_words")
    _lint(clone)
    names = [*dataset.dataset_names(), "two_words"]
    monkeypatch.setattr(dataset, "dataset_names", lambda: names)
    raw = examiner.raw_params()
    for block, added in _block(told).items():
        raw[block] |= added
    raw["datasets"] += ["two_words"]
    raw["lineup_datasets"] += ["two_words"]
    examiner.write_params(clone / "params.yaml", raw)
    assert "two_words" in read_params(clone / "params.yaml").datasets
    assert dataset.load_dataset("two_words").title == "Two words"
    place = clone / "tests/data/datasets/test_two_words.py"
    spec = importlib.util.spec_from_file_location("test_two_words", place)
    assert spec is not None and spec.loader is not None
    tests = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(tests)
    known = [name for name, one in vars(tests).items() if name.startswith("test_")]
    assert len(known) == 3
    for name in known:
        assert [*inspect.signature(vars(tests)[name]).parameters] == ["tmp_path"]
        (clone / name).mkdir()
        vars(tests)[name](clone / name)


@pytest.mark.parametrize("name", ["Two", "2", "a-b", "../a", "class", ""])
def test_a_name_that_is_none_is_refused(name: str, clone: Path) -> None:
    before = sorted(clone.rglob("*"))
    for command in ("new-method", "new-dataset"):
        with pytest.raises(SystemExit, match=r"the name is .*; small letters"):
            main([command, name])
    assert sorted(clone.rglob("*")) == before


def test_nothing_is_written_over_and_nothing_by_halves(clone: Path) -> None:
    (clone / "docs/methods/mine.md").write_text("mine")
    with pytest.raises(SystemExit, match=r"docs/methods/mine\.md exists; a new name"):
        main(["new-method", "mine"])
    assert not (clone / "src/thermochroma/methods/mine.py").exists()


def test_outside_of_a_clone_it_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit, match="src/thermochroma/methods is no folder; a clone"):
        main(["new-method", "mine"])
