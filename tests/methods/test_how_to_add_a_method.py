"""The page that adds a method says what the code does: its code trains, its settings are read."""

import importlib
import json
import re
import sys
from collections.abc import Iterator
from dataclasses import fields, replace
from io import StringIO
from pathlib import Path

import pytest
import torch
import yaml

import thermochroma.methods
from tests import examiner
from tests.conftest import ROOT
from tests.methods import test_examination
from tests.parameter_counts import count_of_shapes
from thermochroma.base.errors import BadInput
from thermochroma.contract import method as contract
from thermochroma.contract.method import Method, load_method, method_names
from thermochroma.networks.frozen import FrozenNetworks
from thermochroma.serving.cli import main as command
from thermochroma.training.loop import play

NAME = "regressor"
PAGE = (ROOT / "docs/how-to/add-a-method.md").read_text(encoding="utf-8")
STEPS = 30


def blocks(language: str) -> list[str]:
    """The page's blocks of code in one language, in their order."""
    return re.findall(rf"^```{language}\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)


@pytest.fixture
def params(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """params.yaml as the page tells to change it, with its file among the methods; the tree stays."""
    folder, changed = tmp_path / "methods", tmp_path / "params.yaml"
    folder.mkdir()
    (folder / f"{NAME}.py").write_text(blocks("python")[0], encoding="utf-8")
    raw, added = examiner.raw_params(), yaml.safe_load(blocks("yaml")[0])
    raw["lineup"] += added["lineup"]
    raw["methods"] |= added["methods"]
    examiner.write_params(changed, raw)
    names = [*method_names(), NAME]
    path = [*thermochroma.methods.__path__, str(folder)]
    monkeypatch.setattr(thermochroma.methods, "__path__", path)
    monkeypatch.setattr(contract, "method_names", lambda: names)
    monkeypatch.setattr(examiner, "PARAMS", changed)
    importlib.invalidate_caches()
    yield changed
    sys.modules.pop(f"thermochroma.methods.{NAME}", None)
    vars(thermochroma.methods).pop(NAME, None)


def test_the_exercise_is_not_in_the_tree() -> None:
    told = "an exercise for a reader's own copy: take it out again before a commit"
    assert NAME not in method_names(), told
    assert NAME not in examiner.METHODS, told


def test_its_settings_are_read_and_it_learns(params: Path, tmp_path: Path) -> None:
    assert NAME in examiner.read_params(params).lineup
    none = FrozenNetworks(tmp_path)  # it asks for none
    training = examiner.begin(NAME, none, images=2 * STEPS)
    batch = examiner.batch_of(NAME)
    colour = torch.tensor([0.6, 0.3, 0.1]).view(3, 1, 1).expand_as(batch.target)
    batch = replace(batch, target=colour)
    losses = [float(play(training, batch)["translator/content"].detach()) for _ in range(STEPS)]
    assert losses[-1] < 0.8 * losses[0]


def test_a_misspelt_key_of_it_is_refused(params: Path) -> None:
    params.write_text(params.read_text().replace("layers:", "leyers:"))
    with pytest.raises(BadInput, match=rf"methods\.{NAME}\.translator\.(leyers|layers)"):
        examiner.settings_of(NAME)


def test_its_count_is_the_one_that_the_page_stores(params: Path) -> None:
    stored = json.loads(blocks("json")[0])
    (part,) = stored["parts"].values()
    assert stored["blocks"] == {NAME: {"translator": dict.fromkeys(stored["parts"], 1)}}
    counts = load_method(NAME).published_parameters
    assert counts == {NAME: {"translator": count_of_shapes(part["shapes"])}}


@pytest.mark.parametrize("asked", ["parameters", "diagram"])
def test_what_is_printed_is_what_the_page_shows(
    asked: str, params: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdout", said := StringIO())
    command([asked, NAME, "--params", str(params)])
    assert f"$ thermochroma {asked} {NAME}\n{said.getvalue()}" in blocks("console")


def test_the_page_names_every_field_and_every_question() -> None:
    assert not [one.name for one in fields(Method) if f"| `{one.name}` |" not in PAGE]
    rows = re.findall(r"^\| (\d+(?:, \d+)*) \|", PAGE, re.MULTILINE)
    asked = {
        int(number)
        for name in vars(test_examination)
        for number in re.findall(r"\d+", name if re.match(r"test_\d", name) else "")
    }
    assert {int(number) for row in rows for number in row.split(", ")} == asked
