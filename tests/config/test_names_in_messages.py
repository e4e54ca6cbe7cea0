"""Messages tell to change settings that there are: every name in backticks is looked up."""

import ast
import re
from collections.abc import Iterator
from functools import cache
from importlib import import_module
from typing import Any, get_args, get_origin

import pytest
from pydantic import BaseModel, TypeAdapter, ValidationError

from tests.rooms import MODULES, PACKAGE, tree_of
from thermochroma.config.params import Params
from thermochroma.contract.dataset import Dataset, DatasetSettings
from thermochroma.contract.settings import Strict

COMMANDS = (
    "dvc",
    "git",
    "make",
    "pip",
    "python",
    "rm",
    "thermochroma",
    "mlflow",
    "ffmpeg",
    "ulimit",
)
"""First words of commands."""
NO_SETTINGS = {
    "dropped": "a column of manifest.csv",
    "template": "a value of caption.profile",
    "window": "a kind of tone, and a key of budgets",
    "translate": "a command",
    "translator.safetensors": "a file",
    "state_dict()": "a function of torch",
    "thermal": "a key of sources, and a column",
    "visible": "a key of sources, and a column",
    "weights": "a stage, and a key",
}
ANY = "{}"  # stands for what a message fills in


def test_every_setting_that_a_remedy_names_is_there() -> None:
    unknown = {
        f"{path}: `{name}`"
        for path, name in _named()
        if not _is_command(name) and not _is_there(name)
    }
    assert not unknown


def test_the_remedies_are_found() -> None:
    names = {name for _, name in _named()}
    assert {"trainings", "video_datasets", "sampling: pooled", f"crop.{ANY}.size"} <= names


@pytest.mark.parametrize(
    ("name", "there"),
    [
        ("trainings", True),
        ("lineups", False),
        (f"crop.{ANY}.size", True),
        (f"crop.{ANY}.sizes", False),
        (f"budget.{ANY}.exceptions.{ANY}.images", True),
        ("sources.irvi.allow_partial: true", True),
        ("sources.irvi.allow_all: true", False),
        ("sampling: pooled", True),
        ("sampling: pool", False),
        ("norm: channel", True),
        ("norm: row_wise", False),
        (f"weights.{ANY}: stand_in", True),
    ],
)
def test_a_name_that_is_not_there_is_noticed(name: str, there: bool) -> None:
    assert _is_there(name) is there


def _named() -> Iterator[tuple[str, str]]:
    """Names in backticks in the remedies of all messages, and the files that they are in."""
    for path in MODULES:
        for node in ast.walk(tree_of(path)):
            if isinstance(node, ast.keyword) and node.arg == "remedy":
                for text in _texts(node.value):
                    for name in re.findall("`([^`]+)`", text):
                        yield str(path.relative_to(PACKAGE)), name


def _texts(node: ast.expr) -> list[str]:
    """The texts that an expression may be; `ANY` for parts that are not written out."""
    if isinstance(node, ast.Constant):
        return [str(node.value)]
    if isinstance(node, ast.JoinedStr):
        parts = (str(one.value) if isinstance(one, ast.Constant) else ANY for one in node.values)
        return ["".join(parts)]
    if isinstance(node, ast.IfExp):
        return [*_texts(node.body), *_texts(node.orelse)]
    return []


def _is_command(name: str) -> bool:
    return name.split()[0] in COMMANDS or name.startswith("--")


def _is_there(name: str) -> bool:
    """Whether a name, a path or a `key: value` is one of params.yaml."""
    path, colon, value = name.partition(": ")
    *above, key = path.split(".")
    if name in NO_SETTINGS or (not above and ANY in key):
        return True
    if above and (above[0] not in Params.model_fields or not _leads(above[1:], above[0])):
        return False
    if ANY in key:  # a name of the user's own, or one of several
        return True
    found = [fields[key] for fields in _all_fields() if key in fields]
    if not colon or ANY in value or value.startswith("{"):
        return bool(found)
    return any(_takes(kind, value) for kind in found)


def _leads(middle: list[str], top: str) -> bool:
    """Whether the names between the first and the last are keys; below maps one is the user's own."""
    maps = {"sources", "crop", "budget", "evaluate", "entries", "methods", "trainings"}
    free = middle[1:] if top in maps else middle
    return all(one == ANY or any(one in fields for fields in _all_fields()) for one in free)


def _takes(kind: Any, value: str) -> bool:
    """Whether a setting's type takes a value as YAML reads it."""
    read: Any = {"true": True, "false": False, "null": None}.get(value, value)
    if get_origin(kind) is None and not get_args(kind):
        return kind in (str, Any) or (kind is bool and isinstance(read, bool))
    try:
        TypeAdapter(kind).validate_python(read, strict=True)
    except ValidationError:
        return False
    return True


@cache
def _all_fields() -> list[dict[str, Any]]:
    """Types of all settings, by name: of params.yaml, of all methods and of all data sets."""
    for folder in ("methods", "data/datasets", "data/acquisition"):
        for path in sorted((PACKAGE / folder).glob("[a-z]*.py")):
            import_module(f"thermochroma.{folder.replace('/', '.')}.{path.stem}")
    models = [*_below(Strict), *_below(DatasetSettings), DatasetSettings]
    fields = [
        {name: one.annotation for name, one in model.model_fields.items()} for model in models
    ]
    record = dict.fromkeys(Dataset.__dataclass_fields__, Any)  # of a data set in code
    return [*fields, record]


def _below(model: type[BaseModel]) -> Iterator[type[BaseModel]]:
    for one in model.__subclasses__():
        yield one
        yield from _below(one)
