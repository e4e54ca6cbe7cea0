"""A stage runs again if, and only if, something that decides its outcome has changed.

DVC is asked what it would run, one change at a time. Nothing is run: the outputs are stand-ins of a few
bytes, committed as if the stages had written them.
"""

from collections.abc import Iterable, Iterator
from contextlib import chdir
from copy import deepcopy
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from dvc.repo import Repo
from dvc.utils import strictyaml
from dvc.utils.serialize import _yaml

from tests.dvc_file import module_of
from tests.tiny_project import Project
from thermochroma.config.params import read_params
from thermochroma.pipeline.fingerprint import write_fingerprints

pytestmark = pytest.mark.xdist_group("what runs again")


THEIRS = {"dataset": "sample", "folder": "their images", "title": "T", "predicts": "visible"}
THEIRS |= {"cost": {"parameters": 7}}


@pytest.fixture(scope="module", autouse=True)
def each_text_is_parsed_once() -> Iterator[None]:
    """Let DVC keep what it has parsed: it parses params.yaml again for each stage, the same text."""
    parse = cache(_yaml.parse_yaml)

    def parsed(text: str, path: str, typ: str = "safe") -> Any:
        return deepcopy(parse(text, path, typ))

    with pytest.MonkeyPatch.context() as patch:
        for module in (_yaml, strictyaml):
            patch.setattr(module, "parse_yaml", parsed)
        yield


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """The project as DVC would know it after a run."""
    project = Project(tmp_path_factory.mktemp("still"))
    project.change(lambda params: params.update(entries={"theirs": THEIRS}))
    (project.root / "their images").mkdir()
    (project.root / "their images/a.png").write_text("an image")
    _fingerprint(project.root)
    with chdir(project.root), Repo() as repo:
        for out in repo.index.outs:
            path = Path(out.fs_path)
            if not path.exists():
                file = path if path.suffix else path / "stand-in"
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_text(file.name)
        for dependency in repo.index.deps:  # files inside of an output
            path = Path(dependency.fs_path)
            if not path.exists():
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(path.name)
        repo.commit(force=True)
    return project


def _fingerprint(root: Path) -> None:
    write_fingerprints(
        read_params(root / "params.yaml"),
        source=root / "src",
        stages=root / "stages",
        fingerprints=root / "data/fingerprints",
    )


def _again(project: Project) -> set[str]:
    """The stages that would run again, once `fingerprint` has; both in this process, for speed."""
    _fingerprint(project.root)
    with chdir(project.root), Repo() as repo:
        names = repo.status()
    return {*names} - {"fingerprint", "track"}


def _kinds(names: Iterable[str]) -> set[str]:
    return {module_of(name) for name in names}


SCORED = {"baselines", "ceiling", "evaluate", "entry", "compare", "page"}
"""Kinds of stages that look at scores."""
ON_A_DATASET = {"download", "register", "card", "crop", "caption"} | SCORED
ALL = ON_A_DATASET | {"weights", "encode", "train"}
SRC = "src/thermochroma"
MORE = "\nADDED = 1\n"  # behind the end of a module

CHANGES = {  # what is changed: file, what stands there, what is to stand there, the kinds that run again
    "a score": (f"{SRC}/metrics/image_scores.py", "", MORE, SCORED),
    "a key of the evaluation": (
        *(f"{SRC}/config/evaluation.py", "timing_rounds: PositiveInt\n"),
        *("timing_rounds: PositiveInt\n    added: int = 0\n", SCORED),
    ),
    "a key of the whole": (
        *(f"{SRC}/config/params.py", "    seed: int\n    weights"),
        *("    seed: int\n    added: int = 0\n    weights", set()),
    ),
    "a key of the machine": (
        *(f"{SRC}/config/machine.py", "    workers: NonNegativeInt\n"),
        *("    workers: NonNegativeInt\n    added: int = 0\n", set()),
    ),
    "processes that load": ("params.yaml", "workers: 0", "workers: 1", set()),
    "how often a checkpoint is kept": (
        *("params.yaml", "checkpoint_every_images: 4", "checkpoint_every_images: 6", set()),
    ),
    "how many readings": ("params.yaml", "validation_images: ", "validation_images: 1", set()),
    "the length of trainings": ("params.yaml", "images: 24", "images: 28", {"train", "page"}),
    "a budget's meaning": (f"{SRC}/config/budget.py", "", MORE, {"train", "compare", "page"}),
    "the seed": (
        *("params.yaml", "seed: 0\n", "seed: 1\n"),
        {"weights", "crop", "ceiling", "train", "compare", "page"},
    ),
    "a figure": (f"{SRC}/reporting/figures.py", "", MORE, {"ceiling", "compare", "page"}),
    "the contact sheet": (f"{SRC}/reporting/registration_sheet.py", "", MORE, {"card"}),
    "how windows are planned": (f"{SRC}/data/cropping/windows.py", "", MORE, {"crop"}),
    "how a shared network is built": (f"{SRC}/networks/resnet.py", "", MORE, {"train", "evaluate"}),
    "how a game is played": (f"{SRC}/training/loop.py", "", MORE, {"train"}),
    "the data set": (f"{SRC}/data/datasets/sample.py", "", MORE, ON_A_DATASET),
    "what all stages set": ("stages/__init__.py", "", MORE, ALL),
    "what MLflow is told": (f"{SRC}/tracking/mlflow_client.py", "", MORE, set()),
    "the check of the environment": ("stages/preflight.py", "", MORE, set()),
    "a comment": (f"{SRC}/networks/blocks.py", "", "\n# A thought about blocks.\n", set()),
}


@pytest.mark.parametrize("change", CHANGES)
def test_what_runs_again_is_what_a_change_decides(project: Project, change: str) -> None:
    file, old, new, kinds = CHANGES[change]
    path = project.root / file
    before = path.read_text()
    assert old in before
    path.write_text(before.replace(old, new, 1) if old else before + new)
    try:
        assert _kinds(_again(project)) == kinds
    finally:
        path.write_text(before)


def test_nothing_runs_again_once_all_is_as_it_was(project: Project) -> None:
    assert _again(project) == set()


def test_a_changed_image_from_outside_scores_its_row_again_and_no_other(project: Project) -> None:
    path = project.root / "their images/a.png"
    path.write_text("another image")
    try:
        assert _again(project) == {"entry@theirs"}, "behind it compare and page, by its scores"
    finally:
        path.write_text("an image")


def test_another_title_or_claim_scores_nothing_again(project: Project) -> None:
    before = (project.root / "params.yaml").read_text()
    for change in ({"title": "U"}, {"cost": None}):
        project.change(lambda p, change=change: p["entries"]["theirs"].update(change))
        try:
            assert _again(project) == {"compare@sample", "page"}
        finally:
            (project.root / "params.yaml").write_text(before)


def test_an_exception_retrains_its_method_alone(project: Project) -> None:
    before = (project.root / "params.yaml").read_text()
    exception = {"exceptions": {"thermal_mask": {"images": 28}}}
    project.change(lambda p: p["budget"]["sample"].update(exception))
    try:
        assert _again(project) == {"train@sample-thermal_mask", "page"}
    finally:
        (project.root / "params.yaml").write_text(before)


def test_an_optimizers_rate_retrains_its_method_alone(project: Project) -> None:
    def faster(params: dict[str, Any]) -> None:
        params["methods"]["cmmf_net"]["optimizers"]["translator"]["lr"] = 1.0e-3

    before = (project.root / "params.yaml").read_text()
    project.change(faster)
    try:
        assert _again(project) == {"train@sample-cmmf_net"}
    finally:
        (project.root / "params.yaml").write_text(before)


def test_another_data_set_with_two_methods_of_its_own_leaves_the_samples_alone(
    project: Project,
) -> None:
    """Its own stages run, and the page for all; nothing of the line-up, and no table of the sample."""
    before = (project.root / "params.yaml").read_text()
    project.change(_with_mine)
    try:
        again = _again(project)
    finally:
        (project.root / "params.yaml").write_text(before)
    trained = {f"{kind}_single@mine-{name}" for kind in ("train", "evaluate") for name in MINE}
    prepared = {f"{kind}@mine" for kind in PREPARED}
    assert again == trained | prepared | {"page"}


MINE = ("cmmf_net", "recycle_gan")
PREPARED = {
    "baselines",
    "caption",
    "card",
    "ceiling",
    "compare",
    "crop",
    "download",
    "encode",
    "register",
}


def _with_mine(params: dict[str, Any]) -> None:
    """Another data set beside the sample, on which two methods are trained."""
    params["datasets"] = ["sample", "mine"]
    folders = {"kind": "folders", "thermal": "../pairs/t", "visible": "../pairs/v"}
    params["sources"]["mine"] = {**folders, "on_defect": "refuse"}
    for block in ("crop", "budget", "evaluate"):
        params[block]["mine"] = params[block]["sample"]
    params["trainings"] = {f"mine-{name}": {"dataset": "mine", "method": name} for name in MINE}
